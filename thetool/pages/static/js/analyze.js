/** Analyze: sends the form, follows the job when it takes long, shows the result. */

import "./status_line.js";
import "./times.js";
import { announce } from "./announce.js";
import { call, Problem } from "./api.js";
import { curl, showRequest } from "./curl.js";
import { el, find, findAll } from "./dom.js";
import { allTasks, draft, fill, watchDraft } from "./draft.js";
import { cancelJob, progressBar, statusBadge, took } from "./job_parts.js";
import { jsonView } from "./json_view.js";
import { followJob } from "./live.js";
import { problemNotice } from "./problem.js";
import { gist, resultView } from "./result.js";

const WAIT_SECONDS = 1; // then the job is followed, so that its progress is seen
const form = find("#analyze");
const place = find("#result");
let work = new AbortController();

/** The options of a draft as the API takes them; what is the default is left out. */
function options({ tasks, labels, sentences }) {
  return {
    ...(tasks.length < allTasks().length ? { tasks } : {}),
    ...(labels.length ? { labels } : {}),
    ...(sentences ? { sentences: true } : {}),
  };
}

/** A file goes as a form; labels as JSON there, because a list with commas could part one. */
const fields = (chosen) =>
  Object.entries(options(chosen)).map(([name, value]) => [name, name === "labels" ? JSON.stringify(value) : String(value)]);

function tellRequest() {
  const chosen = draft();
  showRequest(
    chosen.file
      ? curl("/analyze", { form: [["file", `@${chosen.file.name}`], ...fields(chosen)] })
      : curl("/analyze", { json: { text: chosen.text || "Your text", ...options(chosen) } }),
  );
}

/** The body of the request, as `call` takes it. */
function content(chosen) {
  if (!chosen.file) return { json: { text: chosen.text, ...options(chosen) } };
  const body = new FormData();
  body.append("file", chosen.file);
  for (const [name, value] of fields(chosen)) body.append(name, value);
  return { body };
}

async function send() {
  const chosen = draft();
  const asked = begin();
  try {
    refuse(chosen);
    busy(true);
    const headers = { Prefer: `wait=${WAIT_SECONDS}` };
    const { body, response } = await call("/analyze", { method: "POST", headers, signal: asked.signal, ...content(chosen) });
    if (response.status !== 202) return showResult(body, chosen.text);
    const id = new URL(response.headers.get("Location"), location.href).pathname.split("/").pop();
    history.replaceState(null, "", `/analyze?job=${id}`);
    await follow(id, chosen.text, asked.signal);
  } catch (error) {
    showError(error);
  } finally {
    if (work === asked) busy(false);
  }
}

/** Forget what is shown, and stop following what was followed. */
function begin() {
  work.abort();
  work = new AbortController();
  busy(false);
  history.replaceState(null, "", "/analyze");
  return work;
}

/** Throw the problem for what need not be sent to be wrong. */
function refuse({ file, tasks }) {
  if (!tasks.length) throw new Problem({ title: "Nothing to find", detail: "Choose at least one analysis.", code: "no_tasks" });
  const most = Number(form.dataset.maxBytes);
  if (file && file.size > most) {
    throw new Problem({ title: "The file is too large", detail: `${file.name} has ${file.size} bytes; this service takes ${most}.`, code: "too_large" });
  }
}

/** Show how far the job is until it is over, then its result. */
async function follow(id, text, signal) {
  const view = workingView(id);
  find("#answer").replaceChildren();
  place.replaceChildren(view.node);
  samples(false);
  const job = await followJob(id, { changed: view.show, trouble: view.trouble, signal });
  if (job.status === "completed") return showResult(job.result, text);
  const { error } = job;
  const title = job.status === "cancelled" ? "It was cancelled" : "The analysis failed";
  const quoted = { title, detail: error?.message, code: error?.code ?? job.status, requestId: job.correlation_id };
  place.replaceChildren(problemNotice(quoted));
}

function workingView(id) {
  const badge = statusBadge();
  const bar = progressBar();
  const message = el("p", { class: "hint" });
  const trouble = el("div", { class: "slot" });
  const cancel = el("button", { type: "button", class: "button small" }, "Cancel");
  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    try {
      await cancelJob(id);
      announce("Cancelling");
    } catch (error) {
      cancel.disabled = false;
      trouble.replaceChildren(problemNotice(error));
    }
  });
  const node = el(
    "div",
    { class: "panel stack", id: "working" },
    el("div", { class: "row" }, badge.node, el("a", { href: `/jobs/${id}`, class: "small" }, "Open the job"), el("span", { class: "end" }, cancel)),
    bar.node,
    message,
    trouble,
  );
  const show = (job) => {
    trouble.replaceChildren();
    badge.show(job);
    bar.show(job);
    message.textContent = [job.message, took(job)].filter((part) => part && part !== "–").join(" · ");
  };
  return { node, show, trouble: (problem) => trouble.replaceChildren(problemNotice(problem)) };
}

/** Show an analysis; its id is that of the job that made it, so the address brings it back. */
function showResult(analysis, text) {
  history.replaceState(null, "", `/analyze?job=${analysis.id}`);
  place.replaceChildren(resultView(analysis, text));
  find("#answer").replaceChildren(jsonView("The answer", analysis));
  samples(false);
  announce(gist(analysis));
}

function showError(error) {
  if (error.name === "AbortError") return;
  find("#answer").replaceChildren();
  place.replaceChildren(problemNotice(error));
}

function samples(shown) {
  find("#samples").hidden = !shown;
}

function busy(yes) {
  place.setAttribute("aria-busy", String(yes));
  find("#go").setAttribute("aria-disabled", String(yes));
}

function clear() {
  begin();
  fill({ text: "" });
  place.replaceChildren();
  find("#answer").replaceChildren();
  samples(true);
  find("#text").focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (find("#go").getAttribute("aria-disabled") !== "true") send();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
find("#clear").addEventListener("click", clear);
for (const sample of findAll(".sample")) {
  sample.addEventListener("click", () => {
    fill(sample.dataset);
    form.requestSubmit();
  });
}

watchDraft(tellRequest);
const resumed = new URLSearchParams(location.search).get("job");
if (resumed) {
  busy(true);
  const { text } = draft();
  follow(resumed, text, work.signal).catch(showError).finally(() => busy(false));
}
