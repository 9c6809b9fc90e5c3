/** An analysis as people read it. */

import { el } from "./dom.js";
import { findings } from "./findings.js";
import { duration } from "./format.js";
import { time } from "./times.js";

/** The node for `analysis`, the answer of POST /analyze; `text` is what was sent, or null where it is not here. */
export function resultView(analysis, text) {
  return el(
    "div",
    { class: "panel" },
    el("div", { class: "row outcome-head" }, tags(analysis)),
    findings(analysis.result ?? {}, text),
    analysis.skipped?.length ? skipped(analysis.skipped) : null,
    analysis.notes?.length ? notes(analysis.notes) : null,
    analysis.models?.length ? models(analysis.models) : null,
  );
}

/** One sentence that says the gist, for those who hear the page. */
export function gist({ result = {} }) {
  const said = [
    result.sentiment && `sentiment ${result.sentiment.label}`,
    result.language && (result.language.name ?? "language unknown"),
    result.topics && `topics ${(result.topics.topics ?? []).map(({ label }) => label).join(", ") || "none"}`,
    result.statistics && `${result.statistics.words} words`,
  ];
  return `Done: ${said.filter(Boolean).join("; ") || "see the result"}`;
}

function tags({ kind, cached, elapsed_ms: elapsed, created_at: created }) {
  return [
    el("span", { class: "tag" }, kind),
    cached ? el("span", { class: "tag on" }, "cached") : null,
    typeof elapsed === "number" ? el("span", { class: "tag number" }, duration(elapsed)) : null,
    created ? el("span", { class: "hint" }, time(created)) : null,
  ];
}

function skipped(list) {
  return el(
    "section",
    { class: "finding", "aria-label": "Skipped", "data-finding": "skipped" },
    el("h2", {}, "Skipped"),
    el("ul", { class: "stack tight" }, list.map(skip)),
  );
}

const skip = ({ task, reason, how }) =>
  el("li", {}, el("b", {}, task), ` ${reason}`, how ? el("div", { class: "hint wrap" }, how) : null);

function notes(list) {
  return el(
    "section",
    { class: "finding", "aria-label": "Notes", "data-finding": "notes" },
    el("h2", {}, "Notes"),
    el("ul", { class: "stack tight" }, list.map(({ task, note }) => el("li", {}, el("b", {}, task), ` ${note}`))),
  );
}

function models(list) {
  return el(
    "section",
    { class: "finding", "aria-label": "Models", "data-finding": "models" },
    el("h2", {}, "Models"),
    el(
      "ul",
      { class: "hint" },
      list.map(({ name, version, licence }) =>
        el("li", {}, el("span", { class: "ink" }, name), ` ${version} · ${licence}`),
      ),
    ),
  );
}
