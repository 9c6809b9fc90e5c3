/** JSON as it came, to read and to copy. */

import { el } from "./dom.js";
import { copyButton } from "./clipboard.js";

const LONGEST_SHOWN = 50_000;

/** A block titled `title` that shows `value`; it is open unless `closed`. */
export function jsonView(title, value, { closed = false } = {}) {
  const text = JSON.stringify(value, null, 2);
  const shown =
    text.length > LONGEST_SHOWN
      ? `${text.slice(0, LONGEST_SHOWN)}\n… (the copy has all ${text.length} characters)`
      : text;
  return el(
    "details",
    { class: "code tall", open: !closed },
    el("summary", {}, title),
    el(
      "div",
      { class: "code-copy" },
      copyButton(() => text, `Copy ${title}`, "Copy"),
    ),
    el("pre", { tabindex: "0", "aria-label": title }, shown),
  );
}
