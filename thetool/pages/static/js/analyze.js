/** Analyze: sends the form, follows the job when it takes long, shows the result. */

import "./status_line.js";
import "./times.js";
import { contentOf, curlOf, inWords, refuse } from "./analysis_request.js";
import { announce } from "./announce.js";
import { call } from "./api.js";
import { showRequest } from "./curl.js";
import { find, findAll } from "./dom.js";
import { draft, fill, watchDraft } from "./draft.js";
import { jsonView } from "./json_view.js";
import { followJob } from "./live.js";
import { problemNotice } from "./problem.js";
import { gist, resultView } from "./result.js";
import { workingView } from "./working.js";

const WAIT_SECONDS = 1; // then the job is followed, so that its progress is seen
const form = find("#analyze");
const go = find("#go");
let work = new AbortController();

async function send() {
  const sent = draft();
  const { signal } = begin();
  await shown(async () => {
    refuse(sent, Number(form.dataset.maxBytes));
    busy(true);
    const headers = { Prefer: `wait=${WAIT_SECONDS}` };
    const { body, response } = await post(sent, headers, signal);
    if (response.status === 202) await follow(body.id, sent.text, signal);
    else showResult(body, sent.text);
  });
}

async function post(sent, headers, signal) {
  try {
    return await call("/analyze", { method: "POST", headers, signal, ...contentOf(sent) });
  } catch (error) {
    throw inWords(error, sent);
  }
}

/** Take up the job that the address names, as after a reload. */
async function resume(id) {
  const { signal } = begin();
  await shown(() => follow(id, draft().text, signal));
}

/** Stop following what was followed, and forget it. */
function begin() {
  work.abort();
  work = new AbortController();
  busy(false);
  history.replaceState(null, "", "/analyze");
  return work;
}

/** Show how far the job is until it is over, then its result. */
async function follow(id, text, signal) {
  busy(false);
  history.replaceState(null, "", `/analyze?job=${id}`);
  const view = workingView(id);
  let working = false;
  const changed = (job) => {
    if (!job.kind.startsWith("analyze.")) location.replace(`/jobs/${id}`);
    if (!working && !job.finished_at) show(view.node);
    working = true;
    view.show(job);
  };
  const job = await followJob(id, { changed, trouble: view.trouble, signal });
  if (job.status === "completed") return showResult(job.result, text);
  const title = job.status === "cancelled" ? "It was cancelled" : "The analysis failed";
  const { message, code } = job.error ?? { code: job.status };
  show(problemNotice({ title, detail: message, code, requestId: job.correlation_id }));
}

/** Show an analysis; its id is that of the job that made it, so the address brings it back. */
function showResult(analysis, text) {
  history.replaceState(null, "", `/analyze?job=${analysis.id}`);
  show(resultView(analysis, text), jsonView("The answer", analysis));
  announce(gist(analysis));
}

/** Run `task`; what it throws is shown, and nothing is busy afterwards. */
async function shown(task) {
  const mine = work;
  try {
    await task();
  } catch (error) {
    if (error.name !== "AbortError") show(problemNotice(error));
  } finally {
    if (work === mine) busy(false);
  }
}

/** Show `view`, with `answer` beside it; nothing brings the samples back. */
function show(view, answer) {
  find("#result").replaceChildren(...(view ? [view] : []));
  find("#answer").replaceChildren(...(answer ? [answer] : []));
  find("#samples").hidden = Boolean(view);
}

function busy(yes) {
  find("#result").setAttribute("aria-busy", String(yes));
  go.setAttribute("aria-disabled", String(yes));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (go.getAttribute("aria-disabled") !== "true") send();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
find("#clear").addEventListener("click", () => {
  begin();
  fill({ text: "" });
  show(null);
  find("#text").focus();
});
for (const sample of findAll(".sample")) {
  sample.addEventListener("click", () => {
    fill(sample.dataset);
    form.requestSubmit();
  });
}

const named = new URLSearchParams(location.search).get("job");
watchDraft(() => showRequest(curlOf(draft())));
if (named) resume(named);
