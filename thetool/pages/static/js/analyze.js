/** Analyze: sends the form, follows what takes long, shows the result: of one content, or of many. */

import "./status_line.js";
import "./times.js";
import { contentOf, curlOf, inWords, parcelsOf, refuse } from "./analysis_request.js";
import { announce } from "./announce.js";
import { call } from "./api.js";
import { showRequest } from "./curl.js";
import { find, findAll } from "./dom.js";
import { draft, fill, fillFile, readBy, watchDraft } from "./draft.js";
import { jsonView } from "./json_view.js";
import { followJob } from "./live.js";
import { resumeMany, sendMany } from "./many.js";
import { problemNotice } from "./problem.js";
import { gist, resultView } from "./result.js";
import { upload } from "./upload.js";
import { sendingView, workingView } from "./working.js";

const WAIT_SECONDS = 1; // then the job is followed, so that its progress is seen
const WORTH_A_BAR = 8 * 2 ** 20; // bytes: a smaller file is sent in no time
const LOW = 0.6; // of the window's height: what begins further down is not seen as an answer
const form = find("#analyze");
const go = find("#go");
const most = Object.fromEntries(
  ["maxBytes", "maxFiles", "maxTable", "maxTotal"].map((name) => [name, Number(form.dataset[name])]),
);
let work = new AbortController();
let pressed = false; // and nothing of it was shown yet

async function send() {
  const sent = draft();
  const { signal } = begin();
  pressed = true;
  await shown(async () => {
    refuse(sent, most);
    busy(true);
    const parcels = parcelsOf(sent, most);
    if (sent.files.length < 2) return sendOne(parcels[0], signal);
    const many = await sendMany(parcels, sent.files, { show, place, signal });
    busy(false);
    await many.follow();
  });
}

async function sendOne(parcel, signal) {
  const [file] = parcel.files;
  const sent = { text: parcel.text, file, ...(file ? { name: file.name } : {}) };
  const headers = { Prefer: `wait=${WAIT_SECONDS}` };
  try {
    const { body, status } = await post({ headers, signal, ...contentOf(parcel) }, file);
    if (status === 202) await follow(body.id, sent, signal);
    else showResult(body, sent);
  } catch (error) {
    throw inWords(error, file?.name);
  }
}

/** Send the request; of a large file it is shown how much has been sent. */
async function post(request, file) {
  if (!file || file.size < WORTH_A_BAR) {
    const { body, response } = await call("/analyze", { method: "POST", ...request });
    return { body, status: response.status };
  }
  const view = sendingView(file);
  show(view.node);
  return upload("/analyze", { ...request, sent: view.show });
}

/** Take up what the address names, as after a reload: a job, or batches of them. */
async function resume(address) {
  const [job, batch] = ["job", "batch"].map((name) => address.get(name));
  if (!job && !batch) return;
  const { signal } = begin();
  await shown(async () => {
    if (job) return follow(job, { text: draft().text }, signal);
    const many = await resumeMany(batch.split(","), Number(address.get("files")), { show, place, signal });
    await many.follow();
  });
}

/** Stop following what was followed, and forget it. */
function begin() {
  work.abort();
  work = new AbortController();
  busy(false);
  place({});
  return work;
}

/** Put into the address what brings this result back. */
function place(query) {
  const told = new URLSearchParams(query).toString();
  history.replaceState(null, "", told ? `/analyze?${told.replaceAll("%2C", ",")}` : "/analyze");
}

/** Show how far the job is until it is over, then its result. */
async function follow(id, sent, signal) {
  busy(false);
  place({ job: id });
  const view = workingView(id);
  let working = false;
  const changed = (job) => {
    if (!job.kind.startsWith("analyze.")) location.replace(`/jobs/${id}`);
    if (!working && !job.finished_at) show(view.node);
    working = true;
    view.show(job);
  };
  const job = await followJob(id, { changed, trouble: view.trouble, signal });
  if (job.status === "completed") {
    const name = job.kind === "analyze.text" ? null : job.title; // a text's title may be how it begins
    return showResult({ ...job.result, created_at: job.created_at }, { name, ...sent });
  }
  const title = job.status === "cancelled" ? "It was cancelled" : "The analysis failed";
  const { message, code } = job.error ?? { code: job.status };
  show(problemNotice({ title, detail: message, code, requestId: job.correlation_id }));
}

/** Show an analysis; its id is that of the job that made it, so the address brings it back. */
function showResult(analysis, sent) {
  place({ job: analysis.id });
  const reread = sent.file && draft().files[0] === sent.file ? { options: draft().reading, read: readAgain } : null;
  show(resultView(analysis, sent, reread), jsonView("The answer", analysis, { closed: analysis.kind === "table" }));
  announce(gist(analysis));
}

/** Have the same table read by other options. */
async function readAgain(options) {
  readBy(options);
  await send();
  find("#result").focus();
}

/** Run `task`; what it throws is shown, and nothing is busy afterwards. Resolves to whether all went well. */
async function shown(task) {
  const mine = work;
  try {
    await task();
    return true;
  } catch (error) {
    if (error.name !== "AbortError") show(problemNotice(error));
    return false;
  } finally {
    if (work === mine) busy(false);
  }
}

/** Show `view`, with `answer` beside it; nothing brings the samples back. */
function show(view, answer) {
  const result = find("#result");
  // what is there already keeps the focus, and how far it is scrolled
  const changes = !view || result.firstChild !== view;
  if (changes) result.replaceChildren(...(view ? [view] : []));
  result.setAttribute("aria-busy", "false");
  find("#answer").replaceChildren(...(answer ? [answer] : []));
  find("#samples").hidden = Boolean(view);
  if (view && changes) reveal(result);
}

/** Bring what was asked for into view, at once and without the focus; who has scrolled away since is left there. */
function reveal(result) {
  const { top } = result.getBoundingClientRect();
  if (top > innerHeight * LOW && (pressed || top < innerHeight)) result.scrollIntoView({ block: "start" });
  pressed = false;
}

function busy(yes) {
  find("#result").setAttribute("aria-busy", String(yes));
  go.setAttribute("aria-disabled", String(yes));
}

/** Fetch a sample file of ours, and put it into the form like any other. */
async function takeSampleFile({ file, name }) {
  const response = await fetch(file);
  fillFile(new File([await response.blob()], name, { type: response.headers.get("Content-Type").split(";")[0] }));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (go.getAttribute("aria-disabled") !== "true") send();
});
// Of the whole page where nothing has the focus: what had it may be gone, as the text box is when a photo is dropped.
addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  if (event.target !== document.body && !form.contains(event.target)) return;
  event.preventDefault(); // a button that has the focus is not pressed as well
  form.requestSubmit();
});
form.addEventListener("edited", () => {
  if (find("#result > .notice")) show(null); // it was of what stood here before
});
find("#clear").addEventListener("click", () => {
  begin();
  fill({ text: "" });
  show(null);
  find("#text").focus();
});
for (const sample of findAll(".sample")) {
  sample.addEventListener("click", async () => {
    if (!sample.dataset.file) fill(sample.dataset);
    else if (!(await shown(() => takeSampleFile(sample.dataset)))) return;
    form.requestSubmit();
  });
}

const address = new URLSearchParams(location.search);
watchDraft(() => showRequest(parcelsOf(draft(), most).map(curlOf).join("\n\n")));
resume(address);
