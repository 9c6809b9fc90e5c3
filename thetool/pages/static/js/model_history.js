/** What a model was asked, newest first; each prediction opens to what went in and came out. */

import { call, pathOf } from "./api.js";
import { el } from "./dom.js";
import { count, duration } from "./format.js";
import { jsonView } from "./json_view.js";
import { modelPath } from "./model_parts.js";
import { problemNotice } from "./problem.js";
import { time } from "./times.js";

const LIMIT = 20;
const SHORT = 80;
const HEADS = [["When"], ["Rows", "end"], ["Took", "end"], ["Asked"], ["Answered"]];

/** The panel of a model's history; `look()` shows its newest page again. */
export function historyPanel(model, keptDays) {
  const body = el("tbody", {});
  const trouble = el("div", { class: "slot" });
  const failed = el("input", { type: "checkbox", on: { change: () => look() } });
  const older = el("button", { type: "button", class: "button small", hidden: true }, "Older");
  const table = el(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-labelledby": "history-title", hidden: true },
    el("table", { class: "sheet history" }, el("thead", {}, el("tr", {}, HEADS.map(([head, look]) => el("th", { scope: "col", class: look }, head)))), body),
  );
  const none = el("p", { class: "quiet", hidden: true });
  let next = null;
  const first = () => `${modelPath(model.id)}/predictions?${new URLSearchParams({ limit: LIMIT, ...(failed.checked ? { failed: true } : {}) })}`;
  const show = async (path, { anew }) => {
    try {
      const { body: page } = await call(path);
      if (anew) body.replaceChildren();
      body.append(...page.items.map(line));
      next = pathOf(page.next);
      table.hidden = !body.children.length;
      none.hidden = Boolean(body.children.length);
      none.textContent = failed.checked ? "None has failed." : "Nobody has asked it yet.";
      older.hidden = !next;
      trouble.replaceChildren();
    } catch (error) {
      trouble.replaceChildren(problemNotice(error));
    }
  };
  const look = () => show(first(), { anew: true });
  older.addEventListener("click", () => show(next, { anew: false }));
  const node = el(
    "section",
    { class: "panel stack", "aria-labelledby": "history-title" },
    el(
      "div",
      { class: "heading" },
      el("h2", { id: "history-title" }, "History"),
      el("p", { class: "small" }, `Kept for ${keptDays} days.`),
      el("div", { class: "end" }, el("label", { class: "choice" }, failed, "Only failed ones")),
    ),
    table,
    none,
    trouble,
    el("div", {}, older),
  );
  look();
  return { node, look };
}

function line(prediction) {
  const { created_at: made, rows, inference_time_ms: took, cached, error, input_data: given, output_data: gave, truncated } = prediction;
  const button = el("button", { type: "button", class: "opener", "aria-expanded": "false" }, time(made));
  const row = el(
    "tr",
    {},
    el("th", { scope: "row" }, button),
    el("td", { class: "number end" }, rows === null ? "–" : count(rows)),
    el("td", { class: "number end" }, took === null ? "–" : duration(took), cached ? el("span", { class: "said" }, "cached") : null),
    el("td", { class: "cell quiet" }, short(given, truncated)),
    el("td", { class: "cell" }, error ? el("span", { class: "tag failed" }, error) : short(gave, truncated)),
  );
  let below = null;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    if (open) row.after((below ??= el("tr", { class: "below" }, el("td", { colspan: HEADS.length }, jsonView("Prediction", prediction)))));
    else below.remove();
  });
  return row;
}

function short(value, truncated) {
  if (value === null) return truncated ? "too long to be kept" : "–";
  const text = JSON.stringify(value);
  return text.length > SHORT ? `${text.slice(0, SHORT)}…` : text;
}
