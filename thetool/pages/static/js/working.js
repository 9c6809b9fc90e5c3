/** An analysis that takes its time: how far it is, and a way to cancel it. */

import { announce } from "./announce.js";
import { el } from "./dom.js";
import { cancelJob } from "./job_actions.js";
import { progressBar, statusBadge, took } from "./job_parts.js";
import { problemNotice } from "./problem.js";

/** The node for a large file on its way to the service, with `show(fraction)` to keep it true. */
export function sendingView({ name }) {
  const filling = el("span");
  const words = el("p", {}, `Sending ${name}…`);
  const label = { role: "progressbar", "aria-label": "Sent", "aria-valuemin": 0, "aria-valuemax": 100 };
  const track = el("div", { class: "track", ...label }, filling);
  const show = (fraction) => {
    filling.style.setProperty("--part", fraction);
    track.setAttribute("aria-valuenow", Math.floor(fraction * 100));
    if (fraction === 1) words.textContent = `${name} was sent; it is being stored…`;
  };
  return { node: el("div", { class: "panel stack", id: "sending" }, words, track), show };
}

/** The node for the job `id`, with `show(job)` and `trouble(problem)` to keep it true. */
export function workingView(id) {
  const badge = statusBadge();
  const bar = progressBar();
  const message = el("p", { class: "hint" });
  const trouble = el("div", { class: "slot" });
  const cancel = el("button", { type: "button", class: "button small" }, "Cancel");
  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    try {
      await cancelJob({ id });
      announce("Cancelling");
    } catch (error) {
      cancel.disabled = false;
      trouble.replaceChildren(problemNotice(error));
    }
  });
  const node = el(
    "div",
    { class: "panel stack", id: "working" },
    el(
      "div",
      { class: "row" },
      badge.node,
      el("a", { href: `/jobs/${id}`, class: "small" }, "Open the job"),
      el("span", { class: "end" }, cancel),
    ),
    bar.node,
    message,
    trouble,
  );
  const show = (job) => {
    trouble.replaceChildren();
    badge.show(job);
    bar.show(job);
    const time = job.started_at ? `${took(job)} so far` : null;
    message.textContent = [job.message, time].filter(Boolean).join(" · ");
  };
  return { node, show, trouble: (problem) => trouble.replaceChildren(problemNotice(problem)) };
}
