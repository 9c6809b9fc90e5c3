/** An analysis that takes its time: how far it is, and a way to cancel it. */

import { announce } from "./announce.js";
import { el } from "./dom.js";
import { cancelJob } from "./job_actions.js";
import { progressBar, statusBadge, took } from "./job_parts.js";
import { problemNotice } from "./problem.js";

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
    message.textContent = [job.message, took(job)].filter((part) => part && part !== "–").join(" · ");
  };
  return { node, show, trouble: (problem) => trouble.replaceChildren(problemNotice(problem)) };
}
