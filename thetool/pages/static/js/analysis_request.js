/** What Analyze sends: the same requests for the page and for a shell. */

import { Problem } from "./api.js";
import { curl } from "./curl.js";
import { bytes, count } from "./format.js";
import { kindOf } from "./content_kind.js";

const OWN = { text: ["labels", "sentences", "exhaustive"], image: ["annotate", "location"], table: ["strategy"] };

/**
 * The requests that a draft makes: `[{ text, url, files, options }]`. What is more than one request may hold goes in
 * several; so do files of different kinds where somebody chose what to find, because they have other analyses.
 */
export function parcelsOf(draft, { maxFiles, maxTotal }) {
  const { text, url, files, reading } = draft;
  if (!files.length) return [{ text, url, files, options: optionsOf(draft, draft.kinds) }];
  const apart = draft.kinds.some((kind) => draft.tasks[kind]);
  const parcels = [];
  for (const file of files) {
    const kinds = apart ? [kindOf(file)] : draft.kinds;
    let parcel = parcels.findLast((one) => one.kinds[0] === kinds[0]);
    const full = parcel && (parcel.files.length >= maxFiles || parcel.size + file.size > maxTotal);
    const options = { ...optionsOf(draft, kinds), ...reading };
    if (!parcel || full) parcels.push((parcel = { kinds, files: [], size: 0, options }));
    parcel.files.push(file);
    parcel.size += file.size;
  }
  return parcels;
}

/** The options of a draft for some kinds of content, as the API takes them; what is the default is left out. */
function optionsOf(draft, kinds) {
  const tasks = kinds.some((kind) => draft.tasks[kind]) ? kinds.flatMap((kind) => draft.tasks[kind] ?? draft.usual[kind]) : null;
  const wanted = kinds.flatMap((kind) => OWN[kind]).filter((name) => [draft[name]].flat().some(Boolean));
  return { ...(tasks ? { tasks } : {}), ...Object.fromEntries(wanted.map((name) => [name, draft[name]])) };
}

/** Files go as a form; labels as JSON there, because a list with commas could part one, and so do objects. */
function fields({ options }) {
  const asJson = (name, value) => name === "labels" || (typeof value === "object" && !Array.isArray(value));
  return Object.entries(options).map(([name, value]) => [name, asJson(name, value) ? JSON.stringify(value) : String(value)]);
}

const jsonOf = ({ text, url, options }) => ({ ...(url ? { url } : { text }), ...options });
const fieldOf = ({ files }) => (files.length > 1 ? "files" : "file");

/** The content of a parcel's request, as `call` takes it. */
export function contentOf(parcel) {
  if (!parcel.files.length) return { json: jsonOf(parcel) };
  const body = new FormData();
  for (const file of parcel.files) body.append(fieldOf(parcel), file, file.name);
  for (const [name, value] of fields(parcel)) body.append(name, value);
  return { body };
}

/** The same request as a curl line. */
export function curlOf(parcel) {
  if (!parcel.files.length) return curl("/analyze", { json: jsonOf({ ...parcel, text: parcel.text || "Your text" }) });
  const files = parcel.files.map(({ name }) => [fieldOf(parcel), name]);
  return curl("/analyze", { files, form: fields(parcel) });
}

/** The problem as people of this page read it: of a file that is no text, what can be sent instead. */
export function inWords(error, name) {
  if (error.code === "unsupported_media_type") return Object.assign(error, { title: "This cannot be analyzed" });
  if (error.code !== "undecodable_text" || !name) return error;
  const detail = `The encoding of ${name} cannot be told for certain. Save it as UTF-8, and choose it again.`;
  return Object.assign(error, { detail });
}

/** Throw the problem of a draft that need not be sent to be wrong. */
export function refuse(draft, { maxBytes, maxTable }) {
  const none = draft.kinds.find((kind) => draft.tasks[kind]?.length === 0);
  if (none) {
    const detail = `Choose at least one analysis for ${{ image: "photos", table: "tables", text: "texts" }[none]}.`;
    throw new Problem({ title: "Nothing to find", detail, code: "no_tasks" });
  }
  if (!draft.files.length && !draft.url && !draft.text.trim()) {
    const detail = "Paste or type a text, or choose photos, tables and other files.";
    throw new Problem({ title: "There is nothing to analyze yet", detail, code: "empty_input" });
  }
  const contents = draft.files.length ? draft.files : [Object.assign(new Blob([draft.text ?? ""]), { name: "The text" })];
  const mostOf = (one) => (one.type !== undefined && kindOf(one) === "table" ? maxTable : maxBytes);
  const large = contents.filter((one) => one.size > mostOf(one));
  if (large.length) {
    const [{ name, size }] = large;
    const others = large.length > 1 ? ` ${count(large.length - 1)} more are too large as well.` : "";
    const detail = `${name} has ${bytes(size)}; this service takes ${bytes(mostOf(large[0]))}.${others}`;
    throw new Problem({ title: "That is too large", detail, code: "too_large" });
  }
}
