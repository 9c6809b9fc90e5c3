/** A restyling on its way: its stages, how far it is, a small picture of how far the painting is, a way to cancel it. */

import { pathOf } from "./api.js";
import { el, icon } from "./dom.js";
import { duration } from "./format.js";
import { workingView } from "./working.js";

const about = (seconds) => duration(1000 * Math.max(1, Math.round(seconds))).replace(".0", "");

const STAGES = [
  ["analyzing", "Analyzing"],
  ["generating", "Depth and edges"],
  ["transforming", "Painting"],
  ["finalizing", "Finishing"],
];

/** The node for the job `id`, with `show(job)`, `trouble(problem)` and `preview(address)`; it may take `seconds`. */
export function stepsView(id, seconds = null) {
  const working = workingView(id);
  const items = STAGES.map(([name, words]) => el("li", { "data-stage": name, "data-state": "next" }, icon("check"), words));
  const picture = el("img", { class: "painting", alt: "How far the painting is", hidden: true });
  if (seconds !== null) working.node.append(el("p", { class: "hint" }, `It usually takes about ${about(seconds)}.`));
  working.node.append(el("ol", { class: "steps", "aria-label": "Stages" }, items), picture);
  const show = (job) => {
    working.show(job);
    const at = job.status === "completed" ? STAGES.length : STAGES.findIndex(([name]) => name === job.stage);
    items.forEach((item, number) => (item.dataset.state = number < at ? "done" : number === at ? "now" : "next"));
  };
  const preview = (address) => {
    if (!address) return;
    const path = pathOf(address);
    if (picture.getAttribute("src") === path) return;
    picture.src = path;
    picture.hidden = false;
  };
  return { node: working.node, show, preview, trouble: working.trouble };
}
