/** Restyle: a photo and a style go to `POST /transform/submit`; the job is followed, and what came of it shown. */

import "./status_line.js";
import { announce } from "./announce.js";
import { call, pathOf, problemOf } from "./api.js";
import { curl, showRequest } from "./curl.js";
import { el, find, findAll, say } from "./dom.js";
import { drawnRoom } from "./drawn_room.js";
import { filesOf, holdsFiles } from "./dropped.js";
import { bytes, percent } from "./format.js";
import { followJob, over } from "./live.js";
import { problemNotice } from "./problem.js";
import { offer, offered, withdrawn } from "./restyle_offer.js";
import { stepsView } from "./restyle_steps.js";
import { resultView } from "./restyle_view.js";
import { upload } from "./upload.js";

const PATH = "/transform/submit";
const PREVIEW_MS = 700;
const WORDS = ["room_type", "remove", "prompt", "negative_prompt", "color_palette", "steps", "seed"];
const form = find("#restyle");
const result = find("#result");
const place = find("#drop");
const go = find("#go");
let photo = null;
let running = null;
let busy = false;

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
  showPhoto(true);
  say(find("#name"), `${file.name}, ${bytes(file.size)}`);
  tellRequest();
}

/** Show the photo, or say that this browser cannot: few of them read HEIC or TIFF. */
function showPhoto(can) {
  find("#shown").hidden = !can;
  find("#empty").hidden = can;
  if (!can) say(find("#empty"), "This browser cannot show such a photo. It can be restyled all the same.");
}

find("#shown").addEventListener("error", () => showPhoto(false));

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
    ...WORDS.map((name) => [name, elements[name].value.trim()]),
    ["keep_furniture", elements.keep_furniture.checked ? "true" : ""],
    ["strength", Number(elements.strength.value) ? elements.strength.value : ""],
    ["structure", Number(elements.structure.value) === 0.5 ? "" : elements.structure.value],
    ["variations", elements.variations.value === "1" ? "" : elements.variations.value],
  ];
  return given.filter(([, value]) => value !== "");
}

/** The photo, and the mask where there is one, as pairs. */
function files() {
  const mask = form.elements.mask.files[0];
  return [["file", photo], ...(mask ? [["mask", mask]] : [])];
}

function tellRequest() {
  const names = files().map(([name, file]) => [name, file?.name ?? "room.jpg"]);
  showRequest(curl(PATH, { files: names, form: fields() }));
}

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
  send(fields(), files());
});
document.addEventListener("keydown", ({ key, ctrlKey, metaKey }) => key === "Enter" && (ctrlKey || metaKey) && form.requestSubmit());

const tellButton = () => (go.disabled = busy || !offered());
offer(tellButton);

// --- sending and following

async function send(given, sent) {
  if (go.disabled) return; // by Ctrl+Enter
  if (!photo) {
    result.replaceChildren(problemNotice({ title: "There is no photo yet", detail: "Drop one, or choose a file." }));
    find("#choose").focus();
    return;
  }
  const body = new FormData();
  for (const [name, file] of sent) body.append(name, file, file.name);
  for (const [name, value] of given) body.append(name, value);
  busy = true;
  tellButton();
  try {
    result.replaceChildren(el("p", { class: "hint" }, "Sending the photo…"));
    result.scrollIntoView({ block: "nearest" });
    const { body: told } = await upload(PATH, { body });
    history.replaceState(null, "", `?job=${told.job_id}`);
    announce("The photo was sent");
    await follow(told.job_id, { given, sent }, told.estimated_time);
  } catch (error) {
    if (error.code === "restyle_unavailable") withdrawn();
    if (error.name !== "AbortError") result.replaceChildren(problemNotice(error));
  } finally {
    busy = false;
    tellButton();
  }
}

/** Show how the job gets on, and at the end what came of it; `asked` is what this tab sent for it. */
async function follow(id, asked = null, seconds = null) {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const steps = stepsView(id, seconds);
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
  show(await stateOf(id, signal), asked);
}

const stateOf = async (id, signal) => (await call(`/transform/status/${encodeURIComponent(id)}`, { signal })).body.data;

function show(state, asked) {
  if (state.status !== "completed") {
    const title = state.status === "cancelled" ? "It was cancelled" : "The room could not be restyled";
    result.replaceChildren(problemNotice({ title, detail: state.error, code: state.error_code }));
    announce(title);
    return;
  }
  result.replaceChildren(resultView(state, () => again(state, asked)));
  announce("Your new room is ready");
  result.focus({ preventScroll: true });
  result.scrollIntoView({ block: "start" });
}

/** The same once more; photo and mask come from the service where this tab did not send them. */
async function again(state, asked) {
  const wishes = (asked?.given ?? Object.entries(state.request).map(asField)).filter(([name]) => name !== "seed");
  try {
    const sent = asked?.sent ?? (await fetched({ file: state.result.original_url, mask: state.mask_url }));
    if (!photo) take(sent[0][1]);
    await send(wishes, sent);
  } catch (error) {
    result.prepend(problemNotice(error));
  }
}

async function fetched(links) {
  const found = [];
  for (const [name, link] of Object.entries(links).filter(([, link]) => link)) {
    const answer = await fetch(pathOf(link));
    if (!answer.ok) throw problemOf(answer.status, answer.headers.get("X-Request-ID"), await answer.json().catch(() => null));
    found.push([name, new File([await answer.blob()], name === "file" ? "room" : name)]);
  }
  return found;
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
