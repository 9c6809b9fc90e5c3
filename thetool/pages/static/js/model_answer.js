/** A prediction as people read it: labels, or a table of each output. */

import { el } from "./dom.js";
import { count, counted, duration } from "./format.js";

const MOST_ROWS = 100;
const MOST_COLUMNS = 64;
const MOST_TOGETHER = 10; // columns of a table of several outputs
const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });

/** The panel for `answer`, what a predict route gave; with the id `id`, or none. */
export function answerView(answer, { id = "answer" } = {}) {
  const { model_version: version, inference_time_ms: took, cached, labels, predictions, output_data: outputs } = answer;
  const named = Object.entries(outputs ?? { predictions });
  const shown = labels ? labelBars(labels) : views(named);
  return el(
    "section",
    { class: "panel stack", "aria-label": id ? "Prediction" : `Prediction of ${version}`, id },
    el(
      "div",
      { class: "row" },
      el("h2", {}, "Prediction"),
      el("span", { class: "tag" }, version),
      el("span", { class: "tag number" }, duration(took)),
      cached ? el("span", { class: "tag on" }, "cached") : null,
    ),
    shown,
  );
}

/** One sentence of it, for those who hear the page. */
export function answerWords({ labels, output_data: outputs, predictions }) {
  if (labels?.length) return `Predicted: ${labels[0].label}`;
  const [[name, values]] = Object.entries(outputs ?? { predictions });
  const flat = [values].flat(Infinity);
  return flat.length <= 8 ? `Predicted: ${name} ${flat.map(value).join(", ")}` : `Predicted: ${counted(flat.length, "value")} of ${name}`;
}

function labelBars(labels) {
  return el(
    "dl",
    { class: "bars" },
    labels.flatMap(({ label, confidence }) => [
      el("dt", {}, label),
      el("dd", { class: "track", "aria-hidden": "true" }, el("span", { vars: { part: Math.max(0, Math.min(1, confidence)) } })),
      el("dd", { class: "number" }, digits.format(confidence)),
    ]),
  );
}

/** Outputs of as many rows in one table where they have few columns; each of the others by itself. */
function views(named) {
  const flat = named.filter(([, values]) => rowsOf(values));
  const joined = together(flat);
  const others = joined ? named.filter((one) => !flat.includes(one)) : named;
  return [joined, others.map(([name, values]) => outputView(name, values))].flat();
}

function together(named) {
  const parts = named.map(([name, values]) => ({ name, rows: rowsOf(values) }));
  if (parts.length < 2 || parts.some(({ rows }) => !rows.length)) return null;
  const width = parts.reduce((sum, { rows }) => sum + rows[0].length, 0);
  if (width > MOST_TOGETHER || parts.some(({ rows }) => rows.length !== parts[0].rows.length)) return null;
  const heads = parts.flatMap(({ name, rows }) => headsOf(name, rows[0].length, name));
  const rows = parts[0].rows.map((_, place) => parts.flatMap((part) => cells(part.rows[place])));
  return [table("the prediction", heads, rows), cutNote(parts[0].rows)];
}

function outputView(name, values) {
  const rows = rowsOf(values);
  const head = el("div", { class: "row" }, el("h3", {}, el("code", {}, name)), el("span", { class: "hint" }, extentOf(values)));
  if (!rows) return el("div", { class: "stack tight" }, head, el("p", { class: "hint" }, "It has more dimensions than a table; see the JSON."));
  const width = Math.min(MOST_COLUMNS, Math.max(1, ...rows.map((row) => row.length)));
  const shown = rows.slice(0, MOST_ROWS).map((row) => cells(row.slice(0, width)));
  return el("div", { class: "stack tight" }, head, table(name, headsOf(name, width), shown), cutNote(rows));
}

/** The rows of an output of at most two dimensions, else null. */
function rowsOf(values) {
  if (!Array.isArray(values)) return [[values]];
  if (values.every((one) => !Array.isArray(one))) return values.map((one) => [one]);
  if (values.every((one) => Array.isArray(one) && one.every((inner) => !Array.isArray(inner)))) return values;
  return null;
}

function extentOf(values) {
  const lengths = [];
  for (let inner = values; Array.isArray(inner); inner = inner[0]) lengths.push(count(inner.length));
  return lengths.length ? lengths.join(" × ") : "one value";
}

const headsOf = (name, width, prefix = "") => (width === 1 ? [name] : Array.from({ length: width }, (_, place) => `${prefix}[${place}]`));

function table(name, heads, rows) {
  return el(
    "div",
    { class: "table-scroll answer", tabindex: "0", role: "region", "aria-label": `Values of ${name}` },
    el(
      "table",
      { class: "sheet" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Row"), heads.map((head) => el("th", { scope: "col", class: "end" }, head)))),
      el("tbody", {}, rows.slice(0, MOST_ROWS).map((row, place) => el("tr", {}, el("th", { scope: "row" }, count(place + 1)), row))),
    ),
  );
}

/** The cells of one output's row; of several numbers the highest is bold. */
function cells(row) {
  const numbers = row.length > 1 && row.every((one) => typeof one === "number");
  const highest = numbers ? Math.max(...row) : null;
  const alone = row.filter((one) => one === highest).length === 1;
  return row.map((one) => {
    const best = numbers && alone && one === highest;
    return el("td", { class: "number end", title: best ? "the highest" : null }, best ? el("b", {}, value(one)) : value(one));
  });
}

function cutNote(rows) {
  const widest = Math.max(...rows.map((row) => row.length));
  const cut = [rows.length > MOST_ROWS ? `${count(MOST_ROWS)} of ${count(rows.length)} rows` : null, widest > MOST_COLUMNS ? `${MOST_COLUMNS} of ${count(widest)} columns` : null];
  return cut.some(Boolean) ? el("p", { class: "hint" }, `Shown are ${cut.filter(Boolean).join(" and ")}; the JSON has all.`) : null;
}

function value(one) {
  if (typeof one === "number") return digits.format(one);
  if (one === "") return "“”";
  return one === null ? "–" : typeof one === "object" ? JSON.stringify(one) : String(one);
}
