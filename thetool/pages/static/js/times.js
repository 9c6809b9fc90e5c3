/** Moments on the page: relative words that stay true, the exact time in the title. */

import { el, findAll, say } from "./dom.js";
import { exactly, relative } from "./format.js";

/** A `<time>` of an ISO 8601 moment, or a dash for none. */
export function time(iso) {
  if (!iso) return el("span", { class: "quiet" }, "–");
  const moment = new Date(iso);
  return el("time", { datetime: iso, title: exactly(moment) }, relative(moment));
}

setInterval(() => {
  if (document.hidden) return;
  for (const node of findAll("time")) say(node, relative(new Date(node.dateTime)));
}, 5000);
