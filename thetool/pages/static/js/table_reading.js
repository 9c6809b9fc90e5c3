/** How a file was read, in plain words, and the means to read it otherwise. */

import { el, find, findAll } from "./dom.js";
import { count, counted } from "./format.js";

const DELIMITERS = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank" };
const QUOTES = { '"': "double quotes", "'": "single quotes", "": "nothing" };
const ENCODINGS = ["utf-8", "windows-1252", "windows-1250", "windows-1251", "iso-8859-2", "iso-8859-15", "utf-16", "mac-roman", "cp437", "cp850", "shift_jis", "gb18030", "big5", "euc-kr"];
const TYPES = ["text", "integer", "number", "boolean", "date", "datetime", "time"];

/**
 * What was chosen, each with its reason, and a form to choose otherwise; `reread` is `{ options, read }`: by what it was
 * read, and what sends the same file again to be read by other options. It is null where the file is not here.
 */
export function readingView(reading, reread) {
  return [
    el("dl", { class: "pairs reading" }, chosen(reading).flatMap(([name, value, reason]) => [el("dt", {}, name), el("dd", {}, el("b", { class: "wrap" }, value), reason ? el("span", { class: "hint" }, ` ${reason}`) : null)])),
    reading.notes.length ? el("ul", { class: "notes" }, reading.notes.map(({ message }) => el("li", { class: "wrap" }, message))) : null,
    ...around(reading),
    corrections(reading, reread),
  ];
}

function chosen({ unpacked, format, sheet, encoding, delimiter, quote, header }) {
  const told = (name, choice, words = (value) => String(value)) => (choice ? [name, words(choice.value), choice.reason] : null);
  return [
    told("packed", unpacked),
    told("format", format, (value) => String(value).toUpperCase()),
    told("sheet", sheet),
    told("encoding", encoding),
    told("between fields", delimiter, (value) => DELIMITERS[value] ?? String(value)),
    told("around fields", quote, (value) => QUOTES[value ?? ""] ?? String(value)),
    told("names of columns", header, (value) => (value ? `in line ${count(value)}` : "none")),
  ].filter(Boolean);
}

/** What stands before and after the table, which is kept apart. */
function around({ preamble, footer, other_tables: others }) {
  const lines = (words, part) =>
    part
      ? el(
          "details",
          { class: "around" },
          el("summary", {}, `${counted(part.count, "line")} ${words} the table, kept apart`),
          el("pre", { class: "wrap", tabindex: "0", "aria-label": `Lines ${words} the table` }, part.text.join("\n")),
        )
      : null;
  const further = others.map(({ first_line: first, last_line: last, names }) =>
    el("p", { class: "hint wrap" }, `Another table stands in lines ${count(first)} to ${count(last)} (${names.slice(0, 5).join(", ")}); to read it, name its line of names below.`),
  );
  return [lines("before", preamble), lines("after", footer), ...further];
}

function corrections(reading, reread) {
  if (!reread) return el("p", { class: "hint" }, "To read it otherwise, choose the file again, by itself.");
  const { options } = reread;
  const form = el("form", { class: "corrections", novalidate: true, "aria-label": "Read it otherwise" }, fields(reading, options), columnTypes(reading, options));
  const go = el("button", { type: "submit", class: "button small main" }, "Read it again");
  const back = el("button", { type: "button", class: "button small bare" }, "As it was found");
  form.append(el("div", { class: "row" }, go, back));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    reread.read(optionsOf(form, options));
  });
  back.addEventListener("click", () => reread.read({}));
  const asked = Object.keys(options).length > 0;
  back.hidden = !asked;
  return el("details", { class: "otherwise", open: asked }, el("summary", {}, "Read it otherwise"), form);
}

/** The choices that this format has; what is left as it is stays found by the service. */
function fields(reading, options) {
  const { encoding, delimiter, quote, header, sheets, columns } = reading;
  const many = (pairs, name, label) => field(label, select(name, [["as found", "as found"], ...pairs], options[name] ?? "as found"));
  const typed = columns.length > 0;
  return el(
    "div",
    { class: "fields" },
    sheets.length > 1 ? many(sheets.map((one) => [one.name, one.name]), "sheet", "Sheet") : null,
    encoding ? field("Encoding", input("encoding", options.encoding, { placeholder: encoding.value, list: "encodings" }), datalist()) : null,
    delimiter ? many(Object.entries(DELIMITERS), "delimiter", "Between fields") : null,
    quote ? many(Object.entries(QUOTES), "quote", "Around fields") : null,
    field("Names in line", input("header_row", options.header_row, { type: "number", min: 0, placeholder: header.value })),
    field("Last line", input("last_row", options.last_row, { type: "number", min: 1, placeholder: "all" })),
    typed ? many([[".", "point"], [",", "comma"]], "decimal", "Decimal mark") : null,
    typed ? many([["dmy", "day first"], ["mdy", "month first"], ["ymd", "year first"]], "date_order", "Dates") : null,
    typed ? field("Words for nothing", input("null_words", options.null_words, { placeholder: "n/a, -, unknown" })) : null,
    el("label", { class: "choice" }, el("input", { type: "checkbox", name: "as_text", checked: Boolean(options.as_text) }), "Everything as text"),
  );
}

/** A type for each column, of the first hundred; the API takes it of any. */
function columnTypes({ columns }, options) {
  if (!columns.length) return null;
  const one = ({ name, type }) => {
    const asked = options.columns?.[name]?.type;
    const choice = select("type", [["as found", asked ? "as found" : `as found: ${type}`], ...TYPES.map((each) => [each, each])], asked ?? "as found");
    choice.dataset.column = name;
    return field(name || "(no name)", choice);
  };
  return el("details", { class: "types" }, el("summary", {}, "Types of columns"), el("div", { class: "fields" }, columns.slice(0, 100).map(one)));
}

function field(label, control, ...more) {
  return el("label", { class: "field" }, el("span", { class: "label wrap" }, label), control, ...more);
}

const input = (name, value, more) => {
  const node = el("input", { type: "text", name, autocomplete: "off", spellcheck: "false", ...more });
  node.value = value ?? "";
  return node;
};

function select(name, pairs, now) {
  const node = el("select", { name }, pairs.map(([value, words]) => el("option", { value: value === "as found" ? "found:" : `=${value}` }, words)));
  node.value = now === "as found" ? "found:" : `=${now}`;
  if (node.selectedIndex < 0) node.selectedIndex = 0;
  return node;
}

const datalist = () => el("datalist", { id: "encodings" }, ENCODINGS.map((value) => el("option", { value })));

/** What was chosen, as the API takes it; what is left as found is left out. What the form has no field for stays as in `before`. */
function optionsOf(form, before) {
  const options = {};
  for (const node of findAll("select:not([data-column])", form)) {
    if (node.value !== "found:") options[node.name] = node.value.slice(1);
  }
  for (const node of findAll("input:not([type=checkbox])", form)) {
    if (node.value.trim()) options[node.name] = node.value.trim();
  }
  if (find("[name=as_text]", form).checked) options.as_text = true;
  const columns = { ...before.columns };
  for (const { dataset, value } of findAll("select[data-column]", form)) {
    const { type, ...others } = columns[dataset.column] ?? {};
    columns[dataset.column] = value === "found:" ? others : { ...others, type: value.slice(1) };
  }
  const own = Object.entries(columns).filter(([, one]) => Object.keys(one).length);
  if (own.length) options.columns = Object.fromEntries(own);
  return options;
}
