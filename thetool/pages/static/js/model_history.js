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
const STATUSES = [["", "All"], ["made", "Made"], ["cached", "From the cache"], ["failed", "Failed"]];
const HEADS = [["When"], ["Rows", "end"], ["Took", "end"], ["Asked"], ["Answered"]];

/** The panel of a model's history; `look()` shows its newest page again. */
export function historyPanel(model, keptDays) {
  const path = `${modelPath(model.id)}/predictions`;
  const body = el("tbody", {});
  const trouble = el("div", { class: "slot" });
  const none = el("p", { class: "quiet", hidden: true });
  const older = el("button", { type: "button", class: "button small", hidden: true }, "Older");
  const all = el("a", { class: "button small", id: "export", download: true }, "Export as CSV");
  const filters = filterForm(() => look());
  let next = null;
  let asked = 0; // which answer is waited for: another filter, and what was asked before shows nothing any more
  const show = async (from, { anew }) => {
    const mine = (asked += 1);
    older.disabled = true;
    try {
      const { body: page } = await call(from);
      if (mine !== asked) return;
      if (anew) body.replaceChildren();
      body.append(...page.items.map(line));
      next = pathOf(page.next);
      for (const node of [table, foot]) node.hidden = !body.children.length;
      none.hidden = Boolean(body.children.length);
      none.textContent = filters.chosen().size ? "None fits these filters." : "Nobody has asked it yet.";
      older.hidden = !next;
      trouble.replaceChildren();
    } catch (error) {
      if (mine === asked) trouble.replaceChildren(problemNotice(error));
    } finally {
      if (mine === asked) older.disabled = false;
    }
  };
  const look = () => {
    const chosen = filters.chosen();
    all.href = chosen.size ? `${path}.csv?${chosen}` : `${path}.csv`;
    return show(`${path}?${new URLSearchParams([["limit", LIMIT], ...chosen])}`, { anew: true });
  };
  older.addEventListener("click", () => show(next, { anew: false }));
  const table = el(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-labelledby": "history-title", hidden: true },
    el("table", { class: "sheet history" }, el("thead", {}, el("tr", {}, HEADS.map(([head, look]) => el("th", { scope: "col", class: look }, head)))), body),
  );
  const foot = el("div", { class: "row", hidden: true }, older, all, el("span", { class: "hint" }, `All that fit, as a file. Kept for ${days(keptDays)}.`));
  const node = el(
    "section",
    { class: "panel stack", "aria-labelledby": "history-title" },
    el("div", { class: "heading" }, el("h2", { id: "history-title" }, "History"), filters.node),
    table,
    none,
    trouble,
    foot,
  );
  look();
  return { node, look };
}

const days = (number) => (number === 1 ? "a day" : `${count(number)} days`);

/** What is wanted of the history: `chosen()` gives it as a query. Days are those of the reader's clock. */
function filterForm(changed) {
  const status = el("select", { id: "history-status" }, STATUSES.map(([value, words]) => el("option", { value }, words)));
  const [from, to] = ["from", "to"].map((name) => el("input", { type: "date", id: `history-${name}` }));
  const node = el(
    "form",
    { class: "filters end", on: { submit: (event) => event.preventDefault(), change: changed } },
    [["Which", status], ["From", from], ["To", to]].map(([words, field]) => el("div", { class: "field" }, el("label", { for: field.id }, words), field)),
  );
  const chosen = () => {
    const query = new URLSearchParams();
    if (status.value) query.set("status", status.value);
    if (from.value) query.set("from", midnight(from.value));
    if (to.value) query.set("to", midnight(to.value, 1));
    return query;
  };
  return { node, chosen };
}

/** The beginning of a day, or of one so many days later, in ISO 8601. */
function midnight(day, later = 0) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
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
