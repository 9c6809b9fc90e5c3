/** What the pages show of a model: its status, and what it takes and gives. */

import { el } from "./dom.js";

const LOOKS = { ready: "completed", error: "failed", validating: "running", archived: "cancelled" };

export const modelPath = (id) => `/api/v1/models/${encodeURIComponent(id)}`;
export const namePath = (name) => `/api/v1/models/by-name/${encodeURIComponent(name)}`;

/** Whether a version still takes a file. */
export const takesFile = ({ status }) => ["pending", "uploaded", "error"].includes(status);

export const modelBadge = ({ status }) =>
  el("span", { class: "badge", "data-status": LOOKS[status] ?? status }, el("span", { class: "dot" }), el("span", {}, status));

export const aliasTags = (aliases) => aliases.map((alias) => el("span", { class: "tag on" }, alias));

/** A shape as people read it: "batch × 4"; "any" where nothing is known of it. */
export function shapeWords({ shape, axes = [] }) {
  if (!shape) return "any";
  if (!shape.length) return "one value";
  return shape.map((length, place) => length ?? axes[place] ?? "any").join("\u00a0×\u00a0"); // a line breaks elsewhere
}

/** "x float32 batch × 4". */
export const specWords = (spec) => `${spec.name} ${spec.dtype} ${shapeWords(spec)}`;

/** What a model takes and gives, as a table; null until it was validated. */
export function schemaTable({ input_schema: inputs, output_schema: outputs }) {
  if (!inputs) return null;
  const rows = [...inputs.map((spec) => ["takes", spec]), ...outputs.map((spec) => ["gives", spec])];
  const heads = ["It", "Name", "Type", "Shape"];
  return el(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "What it takes and gives" },
    el(
      "table",
      { class: "schema" },
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map(([way, spec]) => schemaRow(way, spec))),
    ),
  );
}

const schemaRow = (way, spec) =>
  el(
    "tr",
    {},
    el("td", { class: "quiet" }, way),
    el("td", {}, el("code", { class: "wrap" }, spec.name)),
    el("td", {}, spec.dtype),
    el("td", { class: "number" }, shapeWords(spec)),
  );
