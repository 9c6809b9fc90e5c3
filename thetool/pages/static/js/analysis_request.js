/** What Analyze sends: the same request for `fetch` and for a shell. */

import { Problem } from "./api.js";
import { curl } from "./curl.js";
import { allTasks } from "./draft.js";
import { bytes } from "./format.js";

/** The options of a draft as the API takes them; what is the default is left out. */
function options({ tasks, labels, sentences }) {
  return {
    ...(tasks.length < allTasks().length ? { tasks } : {}),
    ...(labels.length ? { labels } : {}),
    ...(sentences ? { sentences: true } : {}),
  };
}

/** A file goes as a form; labels as JSON there, because a list with commas could part one. */
function fields(draft) {
  const { labels, ...plain } = options(draft);
  return [
    ...Object.entries(plain).map(([name, value]) => [name, String(value)]),
    ...(labels ? [["labels", JSON.stringify(labels)]] : []),
  ];
}

/** The request's content, as `call` takes it. */
export function contentOf(draft) {
  if (!draft.file) return { json: { text: draft.text, ...options(draft) } };
  const body = new FormData();
  body.append("file", draft.file);
  for (const [name, value] of fields(draft)) body.append(name, value);
  return { body };
}

/** The same request as a curl line. */
export function curlOf(draft) {
  if (!draft.file) return curl("/analyze", { json: { text: draft.text || "Your text", ...options(draft) } });
  return curl("/analyze", { file: draft.file.name, form: fields(draft) });
}

/** The problem as people of this page read it: of a file that is no text, what can be sent instead. */
export function inWords(error, { file }) {
  if (error.code === "undecodable_text" && file) {
    const detail = `The encoding of ${file.name} cannot be told for certain. Save it as UTF-8, and choose it again.`;
    return Object.assign(error, { detail });
  }
  if (error.code !== "unsupported_media_type" || !file) return error;
  const picture = file.type.startsWith("image/") ? "a picture" : "no text that can be read";
  const title = "Only texts can be analysed for now";
  const detail = `${file.name} is ${picture}. Send plain text, Markdown, CSV, HTML, JSON or source code.`;
  return Object.assign(error, { title, detail });
}

/** Throw the problem of a draft that need not be sent to be wrong. */
export function refuse({ text, file, tasks }, most) {
  if (!tasks.length) {
    throw new Problem({ title: "Nothing to find", detail: "Choose at least one analysis.", code: "no_tasks" });
  }
  const { size } = file ?? new Blob([text]);
  if (size > most) {
    const detail = `${file?.name ?? "The text"} has ${bytes(size)}; this service takes ${bytes(most)}.`;
    throw new Problem({ title: "That is too large", detail, code: "too_large" });
  }
}
