/** A table's analysis as people read it: what is wrong first, then how it was read, what its columns hold, its rows. */

import { columnsView } from "./table_columns.js";
import { el } from "./dom.js";
import { bytes, count, counted, percent } from "./format.js";
import { marketView } from "./table_market.js";
import { readingView } from "./table_reading.js";

const FEW_ISSUES = 12;
const MOST_PAIRS = 20;

/**
 * The sections of a table's `result`.
 * @param {{options: object, read: Function} | null} reread by what the file was read, and what reads it anew by other
 * options; null where it is not here
 */
export function tableViews(result, reread) {
  const { reading, profile, preview, market } = result;
  return [
    summary(reading, profile),
    profile ? issues(profile.issues, reread) : null,
    section("reading", "How it was read", readingView(reading, reread)),
    market ? section("market", "Market", marketView(market)) : null,
    profile ? section("columns", "Columns", columnsView(profile, reading), counted(profile.columns, "column")) : null,
    profile?.correlations ? section("correlations", "Correlations", correlations(profile.correlations)) : null,
    preview?.rows.length ? section("preview", "First rows", rows(preview, reading.columns), "as the file has them") : null,
  ].filter(Boolean);
}

/** What a table comes to, in a few words. */
export function tableGist({ reading, profile, market }) {
  const grave = profile?.issues.filter(({ severity }) => severity !== "info").length;
  return [
    `${count(reading.rows)} × ${counted(profile?.columns ?? reading.columns.length, "column")}`,
    profile && (grave ? counted(grave, "issue") : "no issues"),
    market && market.symbols.map(({ symbol, verdict }) => (symbol ? `${symbol} ${verdict}` : verdict)).join(", "),
  ].filter(Boolean);
}

function section(name, title, body, head = null) {
  return el(
    "section",
    { class: "finding", "aria-label": title, "data-finding": name },
    el("div", { class: "finding-head" }, el("h2", {}, title), head ? el("span", { class: "value quiet number" }, head) : null),
    body,
  );
}

function summary(reading, profile) {
  const columns = profile?.columns ?? reading.columns.length;
  const cells = reading.rows * columns;
  const facts = [
    ["rows", count(reading.rows)],
    ["columns", count(columns)],
    ["empty cells", profile && cells ? percent((profile.cells_empty - (profile.cells_untyped ?? 0)) / cells) : null],
    ["not of their column’s type", profile?.cells_untyped ? percent(profile.cells_untyped / cells) : null],
    ["duplicate rows", profile ? count(profile.duplicate_rows.count) : null],
    ["size", bytes(reading.bytes)],
  ].filter(([, value]) => value !== null);
  return el(
    "section",
    { class: "finding", "aria-label": "Size", "data-finding": "size" },
    el("dl", { class: "counts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", { class: "number" }, value)))),
  );
}

const WORDS = { critical: "wrong", warning: "look at", info: "to know" };

function issues(list, reread) {
  const item = ({ severity, message, rows: affected, example, mend, reread: anew }) =>
    el(
      "li",
      { class: "issue", "data-severity": severity },
      el("span", { class: "tag" }, WORDS[severity] ?? severity),
      el(
        "div",
        {},
        el("div", { class: "wrap" }, message),
        el(
          "div",
          { class: "hint wrap" },
          [
            affected ? counted(affected, "row") : null,
            example ? `row ${count(example.row)}, ${example.column}: “${example.value}”` : null,
          ]
            .filter(Boolean)
            .join(" · "),
        ),
        mend?.effect ? el("div", { class: "hint wrap" }, el("b", {}, "To mend it: "), mend.effect) : null,
        anew ? otherwise(anew, reread) : null,
      ),
    );
  const shown = el("ul", { class: "issues" }, list.slice(0, FEW_ISSUES).map(item));
  const left = list.slice(FEW_ISSUES);
  const body = list.length ? [shown, left.length ? more(shown, left.map(item), `Show ${counted(left.length, "more issue")}`) : null] : [];
  const grave = list.filter(({ severity }) => severity !== "info").length;
  const told = [grave && counted(grave, "issue"), list.length > grave && `${count(list.length - grave)} to know`];
  const head = told.filter(Boolean).join(", ") || "none found";
  return section("issues", "Issues", body, head);
}

/** Another way to read the same file, by which there is less of an issue: a button where the file is here. */
function otherwise({ effect, options }, reread) {
  if (!reread) return el("div", { class: "hint wrap" }, el("b", {}, "Or read it anew: "), effect);
  const button = el("button", { type: "button", class: "button small" }, "Read it so");
  button.addEventListener("click", () => reread.read(together(reread.options, options)));
  return el("div", { class: "row anew" }, el("span", { class: "hint wrap" }, el("b", {}, "Or read it anew: "), effect), button);
}

/** Options of a reading with others added; what is said of the same column goes together. */
function together(options, more) {
  const columns = { ...options.columns };
  for (const [name, own] of Object.entries(more.columns ?? {})) columns[name] = { ...columns[name], ...own };
  return { ...options, ...more, ...(Object.keys(columns).length ? { columns } : {}) };
}

/** A button that appends the rest once. */
function more(place, rest, words) {
  const button = el("button", { type: "button", class: "button small" }, words);
  button.addEventListener("click", () => {
    place.append(...rest);
    rest[0].tabIndex = -1;
    rest[0].focus();
    button.remove();
  });
  return el("div", {}, button);
}

function correlations(pairs) {
  const strongest = [...pairs].sort((one, other) => Math.abs(other.pearson ?? 0) - Math.abs(one.pearson ?? 0));
  const number = (value) => (value === null ? "–" : value.toFixed(2));
  const row = ({ columns, pearson, spearman }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", class: "wrap" }, columns.join(" ↔ ")),
      el("td", { class: "number end" }, number(pearson)),
      el("td", { class: "number end" }, number(spearman)),
    );
  const names = [["columns"], ["Pearson", "end"], ["Spearman", "end"]];
  const left = pairs.length - MOST_PAIRS;
  return [
    scroll(
      "Correlations",
      el("thead", {}, el("tr", {}, names.map(([name, look]) => el("th", { scope: "col", class: look }, name)))),
      el("tbody", {}, strongest.slice(0, MOST_PAIRS).map(row)),
    ),
    left > 0 ? el("p", { class: "hint" }, `${counted(left, "weaker pair")} in the JSON.`) : null,
  ];
}

function rows({ columns, rows: lines }, read) {
  const types = new Map(read.map(({ name, type }) => [name, type]));
  const looks = columns.map((name) => (["integer", "number"].includes(types.get(name)) ? "number end" : ""));
  const cell = (value, place) =>
    el("td", { class: `cell ${looks[place]} ${value === null ? "nothing" : ""}`.trim() }, value === null ? "–" : value);
  return scroll(
    "First rows",
    el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "end" }, "row"), columns.map((name, place) => el("th", { scope: "col", class: looks[place] || null }, name)))),
    el(
      "tbody",
      {},
      lines.map((line, place) => el("tr", {}, el("th", { scope: "row", class: "number end" }, count(place + 1)), line.map(cell))),
    ),
  );
}

/** A table that is scrolled by itself, also by keys. */
export function scroll(label, ...parts) {
  return el("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", { class: "sheet" }, ...parts));
}
