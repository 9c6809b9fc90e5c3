/** Restyle: a photo and a style go to `POST /transform/submit`; the job is followed, and what came of it shown. */

import "./status_line.js";
import { announce } from "./announce.js";
import { call, pathOf } from "./api.js";
import { curl, showRequest } from "./curl.js";
import { el, find, findAll, say } from "./dom.js";
import { drawnRoom } from "./drawn_room.js";
import { filesOf, holdsFiles } from "./dropped.js";
import { bytes, percent } from "./format.js";
import { followJob, over } from "./live.js";
import { problemNotice } from "./problem.js";
import { stepsView } from "./restyle_steps.js";
import { resultView } from "./restyle_view.js";
import { upload } from "./upload.js";

const PATH = "/transform/submit";
const PREVIEW_MS = 700;
const form = find("#restyle");
const result = find("#result");
const place = find("#drop");
let photo = null;
let running = null;

// --- the photo

function take(file) {
  if (!file) return;
  if (file.size > Number(form.dataset.maxBytes)) {
    result.replaceChildren(problemNotice({ title: "The photo is too large", detail: `${file.name} has ${bytes(file.size)}; up to ${bytes(Number(form.dataset.maxBytes))} are taken.` }));
    return;
  }
  photo = file;
  const image = find("#shown");
  if (image.src) URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(file);
  image.alt = `The photo ${file.name}`;
  image.hidden = false;
  find("#empty").hidden = true;
  say(find("#name"), `${file.name}, ${bytes(file.size)}`);
  tellRequest();
}

find("#choose").addEventListener("click", () => find("#file").click());
find("#file").addEventListener("change", ({ target }) => take(target.files[0]));
find("#sample").addEventListener("click", async () => take(await drawnRoom()));
place.addEventListener("dragover", (event) => holdsFiles(event.dataTransfer) && event.preventDefault());
place.addEventListener("drop", async (event) => {
  event.preventDefault();
  take((await filesOf(event.dataTransfer))[0]);
});
document.addEventListener("paste", async ({ clipboardData }) => holdsFiles(clipboardData) && take((await filesOf(clipboardData))[0]));

// --- what is asked

/** The fields that say something, as pairs. */
function fields() {
  const { elements } = form;
  const given = [
    ["style", elements.style.value],
    ["quality", elements.quality.value],
    ...["room_type", "remove", "prompt", "seed"].map((name) => [name, elements[name].value.trim()]),
    ["keep_furniture", elements.keep_furniture.checked ? "true" : ""],
    ["strength", Number(elements.strength.value) ? elements.strength.value : ""],
    ["structure", Number(elements.structure.value) === 0.5 ? "" : elements.structure.value],
    ["variations", elements.variations.value === "1" ? "" : elements.variations.value],
  ];
  return given.filter(([, value]) => value !== "");
}

const tellRequest = () => showRequest(curl(PATH, { files: [["file", photo?.name ?? "room.jpg"]], form: fields() }));

function tellRanges() {
  for (const name of ["strength", "structure"]) {
    const value = Number(form.elements[name].value);
    const usual = value === (name === "strength" ? 0 : 0.5);
    say(find(`output[for="${name}"]`), usual ? "as the style has it" : percent(value));
  }
}

form.addEventListener("input", () => {
  tellRanges();
  tellRequest();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send(fields());
});
document.addEventListener("keydown", ({ key, ctrlKey, metaKey }) => key === "Enter" && (ctrlKey || metaKey) && form.requestSubmit());

// --- sending and following

async function send(given) {
  if (!photo) {
    result.replaceChildren(problemNotice({ title: "There is no photo yet", detail: "Drop one, or choose a file." }));
    find("#choose").focus();
    return;
  }
  const body = new FormData();
  body.append("file", photo, photo.name);
  for (const [name, value] of given) body.append(name, value);
  find("#go").disabled = true;
  try {
    result.replaceChildren(el("p", { class: "hint" }, "Sending the photo…"));
    result.scrollIntoView({ block: "nearest" });
    const { body: told } = await upload(PATH, { body });
    history.replaceState(null, "", `?job=${told.job_id}`);
    announce("The photo was sent");
    await follow(told.job_id, given);
  } catch (error) {
    if (error.name !== "AbortError") result.replaceChildren(problemNotice(error));
  } finally {
    find("#go").disabled = false;
  }
}

/** Show how the job gets on, and at the end what came of it. */
async function follow(id, given = null) {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const steps = stepsView(id);
  result.replaceChildren(steps.node);
  result.scrollIntoView({ block: "nearest" });
  let looked = 0;
  const changed = (job) => {
    steps.show(job);
    if (job.stage !== "transforming" || over(job) || performance.now() - looked < PREVIEW_MS) return;
    looked = performance.now();
    stateOf(id, signal).then((state) => steps.preview(state.preview_url), () => {}); // the next change asks again
  };
  await followJob(id, { changed, trouble: steps.trouble, signal });
  show(await stateOf(id, signal), given);
}

const stateOf = async (id, signal) => (await call(`/transform/status/${encodeURIComponent(id)}`, { signal })).body.data;

function show(state, given) {
  if (state.status !== "completed") {
    const title = state.status === "cancelled" ? "It was cancelled" : "The room could not be restyled";
    result.replaceChildren(problemNotice({ title, detail: state.error, code: state.error_code }));
    announce(title);
    return;
  }
  result.replaceChildren(resultView(state, () => again(state, given)));
  announce("Your new room is ready");
  result.focus({ preventScroll: true });
  result.scrollIntoView({ block: "start" });
}

/** The same once more; the photo comes from the service where this tab does not have it (any more). */
async function again(state, given) {
  const wishes = (given ?? Object.entries(state.request).map(asField)).filter(([name]) => name !== "seed");
  if (!photo) {
    const answer = await fetch(pathOf(state.result.original_url));
    take(new File([await answer.blob()], "room.jpg", { type: answer.headers.get("Content-Type") ?? "image/jpeg" }));
  }
  await send(wishes);
}

const asField = ([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)];

// --- at the beginning

for (const row of findAll(".swatches")) {
  row.append(...row.dataset.colours.split(" ").map((colour) => el("i", { vars: { colour } })));
}

tellRanges();
tellRequest();
const earlier = new URLSearchParams(location.search).get("job");
if (earlier) follow(earlier).catch((error) => error.name !== "AbortError" && result.replaceChildren(problemNotice(error)));
