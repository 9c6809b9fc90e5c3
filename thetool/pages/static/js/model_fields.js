/** Fields for what a model takes, made from its schema, and the JSON of what is in them. */

import { el, findAll } from "./dom.js";
import { shapeWords } from "./model_parts.js";

const MOST_CELLS = 32; // of a row; more are JSON
const MOST_ZEROS = 1000; // of an example
const SPECIAL = { nan: '"NaN"', infinity: '"Infinity"', inf: '"Infinity"', "-infinity": '"-Infinity"', "-inf": '"-Infinity"' };
const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const INTEGER = /^[+-]?\d+$/;

/** A value that a field cannot have. */
export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }

  /** Have the browser say at the field what is wrong, until something else is typed. */
  complain() {
    this.field.setCustomValidity(this.message);
    this.field.reportValidity();
    this.field.addEventListener("input", () => this.field.setCustomValidity(""), { once: true });
  }
}

/**
 * How an input is asked for: a field for each value of a row, or JSON where it has too many of them or other free
 * dimensions than the first one.
 * @returns {{spec: object, rows: boolean, rest: number[] | null}} `rest`: the shape of a row, null for JSON
 */
export function planOf(spec) {
  const shape = spec.shape;
  if (!shape) return { spec, rows: false, rest: null };
  const rows = shape.length > 0 && shape[0] === null;
  const rest = rows ? shape.slice(1) : shape;
  const simple = rest.every((length) => length !== null) && product(rest) <= MOST_CELLS;
  return { spec, rows: rows && simple, rest: simple ? rest : null };
}

const product = (numbers) => numbers.reduce((all, one) => all * one, 1);

/** Whether the fields of these inputs can be filled in by hand: none of them takes very many values. */
export const fillable = (inputs) => inputs.every((spec) => planOf(spec).rest || exampleOf(spec));

/** All fields of a model, with rows that can be added where its inputs have them; `text()` gives `{"x": …}` of them. */
export function modelFields(inputs) {
  const plans = inputs.map(planOf);
  const [many, once] = [plans.filter(({ rows }) => rows), plans.filter(({ rows }) => !rows)];
  const rows = el("div", { class: "stack" });
  const add = el("button", { type: "button", class: "button small" }, "Add a row");
  add.addEventListener("click", () => addRow(rows, many));
  if (many.length) addRow(rows, many, { focus: false });
  const node = el(
    "div",
    { class: "stack" },
    groupsOf(once.filter(({ rest }) => rest)).flat(),
    once.filter(({ rest }) => !rest).map(({ spec }) => jsonField(spec)),
    many.length ? [rows, el("div", {}, add)] : null,
  );
  return { node, text: () => `{${plans.map((plan) => `${JSON.stringify(plan.spec.name)}: ${valueOf(plan, node, rows)}`).join(", ")}}` };
}

function addRow(rows, plans, { focus = true } = {}) {
  const away = el("button", { type: "button", class: "button bare small" }, "Take the row away");
  const row = el("fieldset", { class: "model-row" }, el("legend", {}), groupsOf(plans).flat(), el("div", { class: "end" }, away));
  away.addEventListener("click", () => {
    (row.previousElementSibling ?? row.nextElementSibling).querySelector("input, select").focus();
    row.remove();
    number(rows);
  });
  rows.append(row);
  number(rows);
  if (focus) row.querySelector("input, select").focus();
}

function number(rows) {
  const all = [...rows.children];
  for (const [place, row] of all.entries()) {
    row.firstChild.textContent = `Row ${place + 1}`;
    row.querySelector(".end").hidden = all.length === 1;
    for (const field of findAll("[data-label]", row)) field.setAttribute("aria-label", `${field.dataset.label}, row ${place + 1}`);
  }
  rows.dispatchEvent(new Event("input", { bubbles: true }));
}

/** The fields of inputs, or of one row of them: those of one value side by side, the others below each other. */
function groupsOf(plans) {
  const single = plans.filter(({ rest }) => product(rest) === 1);
  const others = plans.filter(({ rest }) => product(rest) > 1);
  const together = el("div", { class: "model-cells" }, single.map((plan) => el("div", { "data-input": plan.spec.name }, ...cellsOf(plan))));
  return [single.length ? together : null, others.map((plan) => el("div", { class: "model-cells", "data-input": plan.spec.name }, ...cellsOf(plan)))];
}

function cellsOf({ spec, rest }) {
  const places = placesOf(rest);
  const fields = places.map((place) => {
    const label = spec.name + (places.length > 1 ? place.map((index) => `[${index}]`).join("") : "");
    return el("label", { class: "field" }, el("span", { class: "label wrap" }, label), cell(spec, label));
  });
  return [fields, el("p", { class: "hint" }, spec.dtype)];
}

function placesOf([length, ...rest]) {
  if (length === undefined) return [[]];
  return Array.from({ length }, (_, index) => placesOf(rest).map((place) => [index, ...place])).flat();
}

function cell({ dtype }, label) {
  const named = { "data-label": label, "data-cell": dtype, autocomplete: "off" };
  if (dtype === "bool") return el("select", named, el("option", {}, "false"), el("option", {}, "true"));
  const number = dtype !== "string";
  return el("input", { ...named, type: "text", value: number ? "0" : "", class: number ? "number" : null });
}

function jsonField(spec) {
  const words = `${spec.dtype}, ${shapeWords(spec)}`;
  const example = exampleOf(spec);
  const field = el("textarea", { rows: 5, spellcheck: "false", "data-json": spec.name, placeholder: example ? null : "Nested lists as JSON; for so many values a .npy file is easier." });
  field.value = example ?? "";
  return el("label", { class: "field" }, el("span", { class: "label wrap" }, `${spec.name} as JSON`), field, el("span", { class: "hint" }, words));
}

/** Zeros of the shape, one of each free dimension; null where they would be too many. */
function exampleOf({ shape, dtype }) {
  const lengths = (shape ?? [null]).map((length) => length ?? 1);
  if (product(lengths) > MOST_ZEROS) return null;
  const zero = { string: '""', bool: "false" }[dtype] ?? "0";
  return lengths.reduceRight((inner, length) => `[${Array(length).fill(inner).join(", ")}]`, zero);
}

function valueOf({ spec, rows: many, rest }, node, rows) {
  if (!rest) return jsonOf(findAll("[data-json]", node).find((field) => field.dataset.json === spec.name));
  const groups = findAll("[data-input]", many ? rows : node).filter((group) => group.dataset.input === spec.name);
  const values = groups.map((group) => nested(findAll("[data-cell]", group).map(literal), rest));
  return many ? `[${values.join(", ")}]` : values[0];
}

function nested(values, [length, ...rest]) {
  if (length === undefined) return values[0];
  const each = values.length / length;
  return `[${Array.from({ length }, (_, index) => nested(values.slice(index * each, (index + 1) * each), rest)).join(", ")}]`;
}

/** The JSON of one field's value: long integers keep all their digits. Throws FieldError. */
function literal(field) {
  const { cell: dtype } = field.dataset;
  const value = field.value;
  if (dtype === "bool") return value;
  if (dtype === "string") return JSON.stringify(value);
  const text = value.trim();
  if (dtype.startsWith("float")) {
    if (SPECIAL[text.toLowerCase()]) return SPECIAL[text.toLowerCase()];
    if (FLOAT.test(text) && Number.isFinite(Number(text))) return String(Number(text));
    refuse(field, "A number, such as 1.5, or NaN, Infinity, -Infinity");
  }
  if (INTEGER.test(text)) return String(BigInt(text.replace(/^\+/, "")));
  return refuse(field, "An integer, such as 3");
}

/** The JSON in a field, as it was typed. Throws FieldError. */
export function jsonOf(field) {
  try {
    JSON.parse(field.value);
  } catch {
    refuse(field, "This is no JSON");
  }
  return field.value.trim();
}

export function refuse(field, message) {
  throw new FieldError(field, message);
}
