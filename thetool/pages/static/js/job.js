/** The page of one job, live until it is over. */

import "./status_line.js";
import "./times.js";
import { announce } from "./announce.js";
import { askedView } from "./asked.js";
import { curl, showRequest } from "./curl.js";
import { el, find, say } from "./dom.js";
import { askToCancel, askToDelete, requeueJob } from "./job_actions.js";
import { nameOf, progressBar, statusBadge, took } from "./job_parts.js";
import { jsonView } from "./json_view.js";
import { followJob, over } from "./live.js";
import { problemNotice } from "./problem.js";
import { time } from "./times.js";

const head = find("#head");
const place = find("#job");
const id = place.dataset.id;
const badge = statusBadge();
const bar = progressBar();
const message = el("p", { class: "quiet wrap" });
const earlier = el("p", { class: "quiet wrap" });
const facts = el("dl", { class: "counts" });
const trouble = el("div", { class: "slot" });
const outcome = el("div", { class: "stack slot" });
const button = el("button", { type: "button", class: "button", hidden: true });
const again = el("button", { type: "button", class: "button", id: "again", hidden: true }, "Run again");
let last = null;

function build() {
  head.append(badge.node, el("div", { class: "end" }, again, button));
  place.append(trouble);
  button.addEventListener("click", act);
  again.addEventListener("click", runAgain);
}

function show(job) {
  if (!last) {
    place.removeAttribute("aria-busy");
    say(find("h1", head), nameOf(job));
    document.title = `${nameOf(job)} · TheTool`;
    if (job.title) find("h1", head).after(el("span", { class: "tag" }, job.kind));
    place.append(
      el("section", { class: "panel stack", "aria-label": "How far it is" }, bar.node, message, earlier, facts),
      outcome,
    );
    find("#asked").append(...[askedView(job)].filter(Boolean));
  }
  badge.show(job);
  bar.show(job);
  say(message, job.message ?? "");
  message.hidden = !job.message || over(job);
  say(earlier, job.error ? `Last attempt: ${job.error.message}` : "");
  earlier.hidden = !job.error || over(job);
  showFacts(job);
  showButton(job);
  if (!over(job)) outcome.replaceChildren();
  else if (!(last && over(last))) showOutcome(job);
  last = job;
}

function showFacts(job) {
  const pairs = [
    ["made", time(job.created_at)],
    ["started", time(job.started_at)],
    ["finished", time(job.finished_at)],
    ["time", over(job) || !job.started_at ? took(job) : `${took(job)} so far`],
    ["attempts", `${job.attempts} of ${job.max_attempts}`],
    ["batch", job.batch_id ? el("a", { href: `/jobs?batch_id=${job.batch_id}` }, "all of it") : null],
    ["request", el("code", {}, job.correlation_id ?? "–")],
  ];
  const told = pairs.filter(([, value]) => value !== null);
  if (!facts.children.length) facts.append(...told.map(([name]) => fact(name)));
  told.forEach(([, value], number) => find("dd", facts.children[number]).replaceChildren(value));
}

function fact(name) {
  const look = name === "request" ? "wide" : null;
  return el("div", { class: look }, el("dt", {}, name), el("dd", { class: "number" }));
}

function showButton(job) {
  button.hidden = !over(job) && Boolean(job.cancel_requested_at);
  button.className = over(job) ? "button danger" : "button";
  say(button, over(job) ? "Delete" : "Cancel");
  again.hidden = !over(job) || !job.links?.requeue;
}

function showOutcome(job) {
  if (last) announce(`The job is ${job.status}`);
  const shown = [];
  if (job.error && job.status === "failed") shown.push(...errorViews(job));
  if (job.status !== "completed" && !job.links.requeue) shown.push(el("p", { class: "quiet" }, "It cannot run again: what it was to read was not kept. Send it again."));
  if (job.result && job.kind.startsWith("analyze.")) shown.push(analyzeLink());
  if (job.download_url) shown.push(downloadLink(job));
  if (job.result) shown.push(jsonView("Result", job.result));
  outcome.replaceChildren(...shown);
}

function analyzeLink() {
  return el("p", {}, el("a", { href: `/analyze?job=${id}` }, "Show this result in Analyze"));
}

function downloadLink({ download_url: href, result: { filename } }) {
  return el("p", {}, el("a", { href, class: "button", download: filename }, `Download ${filename}`));
}

function errorViews({ error, correlation_id: requestId }) {
  const notice = problemNotice({ title: "It failed", detail: error.message, code: error.code, requestId });
  const traceback = error.traceback
    ? el(
        "details",
        { class: "code tall" },
        el("summary", {}, "Traceback"),
        el("pre", { tabindex: "0", "aria-label": "Traceback" }, error.traceback),
      )
    : null;
  return [notice, traceback].filter(Boolean);
}

async function act() {
  await attempt(async () => {
    if (over(last)) {
      if (await askToDelete(last)) location.assign("/jobs");
    } else if (await askToCancel(last)) {
      announce("Cancelling");
    }
  });
}

async function runAgain() {
  await attempt(async () => {
    await requeueJob(last);
    announce("It is queued again");
    button.focus(); // the button that was pressed goes away
    await follow();
  });
}

async function attempt(task) {
  try {
    await task();
    trouble.replaceChildren();
  } catch (error) {
    place.removeAttribute("aria-busy");
    trouble.replaceChildren(problemNotice(error));
  }
}

function follow() {
  return followJob(id, {
    changed: (job) => {
      trouble.replaceChildren();
      show(job);
    },
    trouble: (problem) => trouble.replaceChildren(problemNotice(problem)),
  });
}

build();
showRequest(curl(`/api/v1/jobs/${id}`));
attempt(follow);
