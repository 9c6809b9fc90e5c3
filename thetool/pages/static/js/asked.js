/** What a job was asked, in people's words; how the service keeps it is not shown. */

import { el } from "./dom.js";
import { jsonView } from "./json_view.js";

const LONGEST_SHOWN = 4_000;
const INTERNAL = new Set(
  ["cache_key", "keep_seconds", "input", "skipped", "by_name", "exhaustive", "filename", "sha256", "mask", "given", "model_file", "row_by_row", "run_bytes", "run_seconds"],
);

/** The view of what `job` was asked, or null when there is nothing to tell. */
export function askedView({ kind, params }) {
  if (!params) return null;
  if (kind.startsWith("analyze.")) return analysisAsked(params);
  const told = Object.fromEntries(Object.entries(params).filter(([name]) => !INTERNAL.has(name)));
  return Object.keys(told).length ? jsonView("What was asked", told) : null;
}

function analysisAsked({ tasks, labels, each_sentence: sentences, exhaustive, annotate, location, text, reading, market }) {
  const topics = Array.isArray(labels) ? labels.map((label) => [label].flat()[0]) : Object.keys(labels ?? {});
  const pairs = [
    ["to find", tasks?.join(", ")],
    ["own topics", topics.join(", ")],
    ["each sentence", sentences ? "scored" : null],
    ["exhaustive", exhaustive ? "every sentence is read for the topics" : null],
    ["annotate", annotate ? "a copy with boxes is drawn" : null],
    ["read by", pairsOf(reading)],
    ["judged by", pairsOf(market)],
    ["location", location ? "where it was taken is told" : null],
  ].filter(([, value]) => value);
  return el(
    "section",
    { class: "panel stack", "aria-label": "What was asked" },
    el("h2", {}, "What was asked"),
    el(
      "dl",
      { class: "pairs" },
      pairs.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]).flat(),
    ),
    text ? el("p", { class: "sentences wrap", tabindex: "0", "aria-label": "The text" }, cut(text)) : null,
  );
}

/** What was asked for; what was left to the service is left out. */
const pairsOf = (options) =>
  Object.entries(options ?? {})
    .filter(([, value]) => value !== null && value !== false && !(typeof value === "object" && !Object.keys(value).length))
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(", ");

const cut = (text) => (text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)} …` : text);
