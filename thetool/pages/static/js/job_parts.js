/** What the pages show of a job: its status, how far it is, how long it took. */

import { el, say } from "./dom.js";
import { duration, progress } from "./format.js";
import { over } from "./live.js";

/** What people call a job: its title, such as a file's name, where it has one. */
export const nameOf = (job) => job.title || job.kind;

/** A badge that `show(job)` keeps true. */
export function statusBadge() {
  const word = el("span");
  const node = el("span", { class: "badge" }, el("span", { class: "dot" }), word);
  const show = (job) => {
    const status = job.cancel_requested_at && !over(job) ? "cancelling" : job.status;
    node.dataset.status = job.status;
    say(word, status);
  };
  return { node, show };
}

/** A bar with its percentage, and the stage in words, that `show(job)` keeps true; gone when the job is over. */
export function progressBar() {
  const stage = el("span", {});
  const part = el("span", { class: "quiet number end" });
  const filling = el("span");
  const track = el(
    "div",
    { class: "track", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 },
    filling,
  );
  const node = el("div", { class: "progress" }, el("div", { class: "row small" }, stage, part), track);
  const show = (job) => {
    node.hidden = over(job);
    const fraction = job.progress ?? 0;
    say(stage, job.stage ?? (job.status === "queued" ? "waiting" : ""));
    say(part, progress(fraction));
    filling.style.setProperty("--part", fraction);
    track.setAttribute("aria-valuenow", Math.floor(fraction * 100));
  };
  return { node, show };
}

/** How long it ran, or has been running, in words; a dash before it starts. */
export function took(job, now = Date.now()) {
  if (!job.started_at) return "–";
  const end = job.finished_at ? Date.parse(job.finished_at) : now;
  return duration(Math.max(0, end - Date.parse(job.started_at)));
}
