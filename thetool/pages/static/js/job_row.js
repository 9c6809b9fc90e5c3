/** A job's row in the list, and that of a batch above its jobs. */

import { el, say } from "./dom.js";
import { counted, progress } from "./format.js";
import { askToCancel, askToCancelBatch, askToDelete, requeueJob } from "./job_actions.js";
import { nameOf, progressBar, statusBadge, took } from "./job_parts.js";
import { over } from "./live.js";
import { time } from "./times.js";

const ACTIONS = { cancel: ["Cancel", askToCancel], requeue: ["Run again", requeueJob], delete: ["Delete", askToDelete] };

/** A row that `show(job)` keeps true; `attempt(promise)` is given what its button begins. */
export function jobRow(attempt) {
  const badge = statusBadge();
  const bar = progressBar();
  const row = blankRow(badge.node, bar.node);
  let offered = null;
  const show = (job) => {
    badge.show(job);
    bar.show(job);
    say(row.link, nameOf(job));
    row.link.href = `/jobs/${job.id}`;
    say(row.said, said(job));
    say(row.length, took(job));
    if (offered === null) row.when.append(time(job.created_at));
    const able = actionOf(job);
    if (offered !== able) row.action.replaceChildren(...button(able, job, attempt));
    offered = able;
  };
  return { node: row.node, show };
}

/** The cells that a job and a batch have. */
function blankRow(state, progress, look = null) {
  const link = el("a", {});
  const words = el("span", { class: "said" });
  const length = el("td", { class: "end number took" });
  const when = el("td", { class: "end when" });
  const action = el("td", { class: "end act" });
  const node = el(
    "tr",
    { class: look },
    el("td", { class: "state" }, state),
    el("td", { class: "what" }, link, words),
    el("td", { class: "bar" }, progress),
    length,
    when,
    action,
  );
  return { node, link, said: words, length, when, action };
}

/** What stands below a job's name. */
function said(job) {
  if (job.status === "failed") return job.error?.message ?? job.kind;
  const saying = over(job) ? null : job.message; // what it was about to do is no news of a job that is over
  return saying ?? (job.title ? job.kind : job.id);
}

function actionOf(job) {
  if (!over(job)) return job.cancel_requested_at ? "none" : "cancel";
  return job.links?.requeue ? "requeue" : "delete";
}

function button(able, job, attempt) {
  if (able === "none") return [];
  const [word, act] = ACTIONS[able];
  const label = `${word}: ${nameOf(job)} ${job.id}`;
  const on = { click: () => attempt(act(job)) };
  return [el("button", { type: "button", class: "button bare small", "aria-label": label, on }, word)];
}

/** A row above the jobs of a batch: how many there are, how they stand, one progress; `show(batch)` keeps it true. */
export function batchRow(attempt) {
  const part = el("span", { class: "quiet number end" });
  const filling = el("span");
  const label = { role: "progressbar", "aria-label": "Progress of the batch", "aria-valuemin": 0, "aria-valuemax": 100 };
  const track = el("div", { class: "track", ...label }, filling);
  const bar = el("div", { class: "progress" }, el("div", { class: "row small" }, part), track);
  const row = blankRow(el("span", { class: "tag" }, "batch"), bar, "batch");
  let offered = null;
  let latest = null;
  const show = (batch) => {
    latest = batch;
    say(row.link, `Batch of ${counted(batch.total, "job")}`);
    row.link.href = `/jobs?batch_id=${batch.id}`;
    say(row.said, standing(batch));
    const able = batch.queued + batch.running > 0;
    bar.hidden = !able;
    say(part, progress(batch.progress));
    filling.style.setProperty("--part", batch.progress);
    track.setAttribute("aria-valuenow", Math.floor(batch.progress * 100));
    if (offered !== able) row.action.replaceChildren(...(able ? [cancelAll(batch.id, () => attempt(askToCancelBatch(latest)))] : []));
    offered = able;
  };
  return { node: row.node, show };
}

function cancelAll(id, click) {
  const label = `Cancel all: batch ${id}`;
  const on = { click };
  return el("button", { type: "button", class: "button bare small", "aria-label": label, on }, "Cancel all");
}

const STATES = ["running", "queued", "completed", "failed", "cancelled"];

const standing = (batch) =>
  STATES.filter((state) => batch[state])
    .map((state) => `${batch[state]} ${state}`)
    .join(" · ");
