/** An analysis as people read it: of a text, of a table, or of a photo, which is shown with what was found in it. */

import { pathOf } from "./api.js";
import { el } from "./dom.js";
import { findings, languageName } from "./findings.js";
import { duration } from "./format.js";
import { layersOf, photoGist } from "./photo_findings.js";
import { linkMarks, picture } from "./picture.js";
import { tableGist, tableViews } from "./table_result.js";
import { time } from "./times.js";

/**
 * The node for `analysis`, the answer of POST /analyze.
 * @param {{text?: string | null, file?: File | null, name?: string}} sent what was sent, where it is still here
 * @param {{options: object, read: Function} | null} reread by what a table was read, and what has it read otherwise, where
 * that can be done
 */
export function resultView(analysis, { text = null, file = null, name = "" } = {}, reread = null) {
  const photo = isPhoto(analysis);
  const node = el(
    "div",
    { class: "panel" },
    el("div", { class: "row outcome-head" }, name ? el("b", { class: "wrap" }, name) : null, tags(analysis)),
    photo ? photoView(analysis, file, name) : null,
    isTable(analysis) ? tableViews(analysis.result, reread) : findings(analysis.result ?? {}, text, { photo }),
    analysis.skipped?.length ? skipped(analysis.skipped) : null,
    analysis.notes?.length ? notes(analysis.notes) : null,
    analysis.models?.length ? models(analysis.models) : null,
  );
  if (photo) linkMarks(node);
  return node;
}

const isPhoto = ({ kind }) => kind === "image";
const isTable = ({ kind }) => kind === "table";

/** The photo: the file itself where it is here, else the small picture that the service keeps. */
function photoView(analysis, file, name) {
  const small = thumbnailAddress(analysis);
  const addresses = [...(file ? [URL.createObjectURL(file)] : []), ...(small ? [small] : [])];
  if (!addresses.length) return null;
  const { width, height } = analysis.result?.info ?? {};
  const figure = picture({
    addresses,
    name: name || file?.name || "that was sent",
    small: !file,
    size: width ? { width, height } : null,
    layers: file || width ? layersOf(analysis.result ?? {}) : [],
  });
  const drawn = pathOf(analysis.annotated);
  const download = { class: "button small", href: drawn, download: `boxes-${name || "photo"}.jpg` };
  if (drawn) figure.append(el("a", download, "Download it with its boxes"));
  return figure;
}

/** Where the service keeps a small picture of what was analysed; null for none. */
export const thumbnailAddress = (analysis) => pathOf(analysis.thumbnail);

/** What was found, in a few words for each analysis. */
export function gists(analysis) {
  const { result = {} } = analysis;
  if (isPhoto(analysis)) return photoGist(result);
  if (isTable(analysis)) return tableGist(result);
  return [
    result.sentiment && `sentiment ${result.sentiment.label}`,
    result.language && (result.language.code ? languageName(result.language).replace(/^(Perhaps|Several)/, (word) => word.toLowerCase()) : "language unknown"),
    result.topics && `topics ${(result.topics.topics ?? []).map(({ label }) => label).join(", ") || "none"}`,
    result.statistics && `${result.statistics.words} words`,
  ].filter(Boolean);
}

/** One sentence that says the gist, for those who hear the page. */
export const gist = (analysis) => `Done: ${gists(analysis).join("; ") || "see the result"}`;

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
