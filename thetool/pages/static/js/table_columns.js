/** The columns of a table: of each its type, what it means, how much is empty, how its values lie; more when it is opened. */

import { el } from "./dom.js";
import { count, counted, percent } from "./format.js";

const AT_ONCE = 50;
const FEW = 3;

/** The table of columns; those that are many come when they are asked for. */
export function columnsView({ column_profiles: profiles }, { columns }) {
  const body = el("tbody", {});
  const read = new Map(columns.map((column) => [column.name, column]));
  const add = (from) => body.append(...profiles.slice(from, from + AT_ONCE).flatMap((one) => lines(one, read.get(one.name))));
  add(0);
  const names = [["name"], ["type"], ["meaning"], ["empty"], ["distinct", "end"], ["distribution"], ["values"]];
  const head = el("thead", {}, el("tr", {}, names.map(([name, look]) => el("th", { scope: "col", class: look }, name))));
  const table = el("table", { class: "sheet columns" }, head, body);
  return [
    el("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Columns" }, table),
    profiles.length > AT_ONCE ? more(profiles.length, add) : null,
  ];
}

function more(total, add) {
  let shown = AT_ONCE;
  const button = el("button", { type: "button", class: "button small" });
  const say = () => (button.textContent = `Show ${Math.min(AT_ONCE, total - shown)} of ${counted(total - shown, "more column")}`);
  button.addEventListener("click", () => {
    add(shown);
    shown += AT_ONCE;
    if (shown >= total) button.remove();
    else say();
  });
  say();
  return el("div", {}, button);
}

/** A column's line, and below it, when its name is pressed, all that is known of it. */
function lines(profile, read) {
  const button = el("button", { type: "button", class: "opener wrap", "aria-expanded": "false" }, profile.name || "(no name)");
  const line = el(
    "tr",
    {},
    el("th", { scope: "row" }, button),
    el("td", {}, profile.type),
    el("td", { class: "quiet" }, profile.semantic.type.replaceAll("_", " ")),
    el("td", {}, emptiness(profile), unread(profile)),
    el("td", { class: "number end" }, `${profile.distinct.exact ? "" : "about "}${count(profile.distinct.count)}`),
    el("td", {}, profile.histogram ? bars(profile.histogram.counts) : null),
    el("td", { class: "quiet cell" }, inShort(profile)),
  );
  let below = null;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    if (open) line.after((below ??= el("tr", { class: "below" }, el("td", { colspan: 7 }, details(profile, read)))));
    else below.remove();
  });
  return [line];
}

function emptiness({ nulls, untyped, null_share: share, untyped_share: unreadShare = 0 }) {
  const [empty, part] = [nulls - untyped, Math.max(0, share - unreadShare)];
  return el(
    "div",
    { class: "emptiness", title: counted(empty, "empty cell") },
    empty ? el("span", { class: "track", "aria-hidden": "true" }, el("span", { vars: { part } })) : null,
    el("span", { class: "number small" }, empty ? percent(part) : "none"),
  );
}

/** Cells that are not empty, but count as if they were. */
function unread({ untyped, untyped_share: share = 0, type }) {
  if (!untyped) return null;
  return el("div", { class: "unread number", title: counted(untyped, "cell") }, `could not be read as ${type}: ${percent(share)}`);
}

/** A small histogram; the words beside it say where the values lie. */
export function bars(counts) {
  const highest = Math.max(...counts, 1);
  return el(
    "div",
    { class: "histogram", "aria-hidden": "true" },
    counts.map((one) => el("span", { vars: { part: one / highest }, "data-empty": one === 0 })),
  );
}

function inShort({ numbers, dates, top }) {
  if (numbers && numbers.min !== null) return `${number(numbers.min)} to ${number(numbers.max)}, median ${number(numbers.median)}`;
  if (dates) return `${day(dates.earliest)} to ${day(dates.latest)}`;
  return top.slice(0, FEW).map(({ value, count: often }) => `${short(value)} × ${count(often)}`).join(", ");
}

function details({ numbers, dates, texts, top, outliers, semantic, untyped, blanks, distinct }, read) {
  const facts = [
    ...(numbers ? ["mean", "std", "q1", "q3", "skew", "zeros", "negative"].map((name) => [NAMES[name] ?? name, number(numbers[name])]) : []),
    ...(dates ? [["middle", day(dates.median)], ["days", count(Math.round(dates.span_days))], ["in the future", count(dates.future)]] : []),
    ...(texts ? [["shortest", count(texts.shortest)], ["longest", count(texts.longest)], ["mean length", number(texts.mean_length)]] : []),
    [`no ${read?.type ?? "value"}`, untyped ? count(untyped) : null],
    ["blank", blanks ? count(blanks) : null],
    ["outliers", outliers?.count ? count(outliers.count) : null],
  ].filter(([, value]) => value !== null && value !== undefined);
  return el(
    "div",
    { class: "stack" },
    el(
      "ul",
      { class: "hint" },
      read ? el("li", {}, `It is ${read.type}: ${read.reason}`) : null,
      el("li", {}, `Taken for ${semantic.type.replaceAll("_", " ")}: ${semantic.reason}`),
      distinct.exact ? null : el("li", {}, `Distinct values: ${distinct.method}.`),
      read?.untyped_examples.length
        ? el("li", { class: "wrap" }, `Could not be read as ${read.type}: ${read.untyped_examples.map(({ row, text }) => `“${short(text)}” in row ${count(row)}`).join(", ")}`)
        : null,
      outliers?.examples.length
        ? el("li", {}, `Far from the others: ${outliers.examples.map(({ row, value }) => `${number(value)} in row ${count(row)}`).join(", ")}`)
        : null,
    ),
    facts.length ? el("dl", { class: "counts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", { class: "number" }, value)))) : null,
    top.length ? [el("h3", {}, "Most frequent"), el("dl", { class: "bars" }, top.flatMap(({ value, count: often, share }) => bar(value, share, often)))] : null,
    texts?.patterns.length
      ? [el("h3", {}, "Forms"), el("dl", { class: "bars" }, texts.patterns.flatMap(({ pattern, share, count: often }) => bar(pattern, share, often)))]
      : null,
  );
}

const NAMES = { q1: "a quarter is below", q3: "a quarter is above", std: "standard deviation" };

function bar(words, share, often) {
  return [
    el("dt", {}, short(words, 80)),
    el("dd", { class: "track", "aria-hidden": "true" }, el("span", { vars: { part: share } })),
    el("dd", { class: "number" }, count(often)),
  ];
}

const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const number = (value) => (value === null || value === undefined ? "–" : digits.format(value));
const day = (moment) => moment.replace(/T00:00:00(\.0+)?Z?$/, "").replace("T", " ").replace(/Z$/, "");
const short = (text, most = 24) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
