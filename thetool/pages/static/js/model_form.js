/** Asking a model: a form made from its schema, JSON, .npy files, or the file that its signature takes. */

import { el, say } from "./dom.js";
import { bytes } from "./format.js";
import { FieldError, fillable, jsonOf, modelFields, refuse } from "./model_fields.js";
import { specWords } from "./model_parts.js";

const NPY = "application/x-npy";
const JSON_TYPE = "application/json";

/**
 * The form for `model`.
 * @param {object} model a ready one
 * @param {(asked: object | null) => void} changed told how the request is now, or null while it cannot be made
 * @param {(asked: object) => void} ask called to send it
 */
export function modelForm(model, { changed, ask }) {
  const modes = modesOf(model);
  let mode = modes[0].name === "form" && !fillable(model.input_schema) ? modes.find(({ name }) => name === "npy") : modes[0];
  const place = el("div", { class: "slot" });
  const fresh = el("input", { type: "checkbox" });
  const choose = (next) => {
    if (next.name === "json") next.fill(textIn(mode));
    mode = next;
    place.replaceChildren(mode.node);
    tell();
  };
  /** The request as it is typed, or null where that is none yet; nothing is complained about. */
  const tell = () => changed(quietly(() => withOptions(mode.asked(), fresh.checked)));
  const form = el(
    "form",
    { class: "stack", novalidate: true, id: "predict" },
    modes.length > 1 ? segments(modes, mode, choose) : null,
    place,
    el(
      "div",
      { class: "row" },
      el("button", { class: "button main", id: "ask-it" }, "Ask it"),
      el("label", { class: "choice" }, fresh, "Skip the cache"),
    ),
  );
  form.addEventListener("input", tell);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    try {
      ask(withOptions(mode.asked(), fresh.checked));
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      error.complain();
    }
  });
  choose(mode);
  return form;
}

/** The request with the wish to run the model anew: in the JSON, else in the address. */
function withOptions(asked, skip) {
  if (!skip) return asked;
  if (asked.type !== JSON_TYPE) return { ...asked, query: "?skip_cache=true" };
  return { ...asked, text: asked.text.replace(/^\{\s*(\}?)/, (_, end) => `{"skip_cache": true${end || ", "}`) };
}

function segments(modes, first, choose) {
  return el(
    "fieldset",
    { class: "segments" },
    el("legend", { class: "unseen" }, "How it is asked"),
    modes.map((mode) =>
      el("label", {}, el("input", { type: "radio", name: "mode", value: mode.name, checked: mode === first, on: { change: () => choose(mode) } }), el("span", {}, mode.words)),
    ),
  );
}

function modesOf({ signature, input_schema: inputs }) {
  const modes = [formMode(inputs), jsonMode(), npyMode(inputs)];
  if (signature?.kind === "image") modes.unshift(pictureMode());
  if (signature?.kind === "text") modes.unshift(textMode());
  return modes;
}

function formMode(inputs) {
  const { node, text } = modelFields(inputs);
  return { name: "form", words: "Form", node, asked: () => ({ type: JSON_TYPE, text: `{"input_data": ${text()}}` }) };
}

function jsonMode() {
  const field = el("textarea", { rows: 10, spellcheck: "false", id: "json" });
  const node = el(
    "div",
    { class: "field" },
    el("label", { for: "json" }, "The body of the request"),
    field,
    el("span", { class: "hint" }, "input_data with nested lists for each input, or instances: a list of rows."),
  );
  const fill = (text) => {
    if (text) field.value = text;
  };
  return { name: "json", words: "JSON", node, fill, asked: () => ({ type: JSON_TYPE, text: jsonOf(field) }) };
}

function npyMode(inputs) {
  const fields = inputs.map((spec) => fileField(spec.name, `${specWords(spec)}, as a .npy file`, ".npy"));
  const node = el("div", { class: "stack" }, fields.map((field) => field.node));
  const asked = () => {
    const files = fields.map(({ file }) => file());
    if (files.length === 1) return { type: NPY, body: files[0], names: [["", files[0].name]] };
    const body = new FormData();
    inputs.forEach(({ name }, place) => body.append(name, files[place], files[place].name));
    return { type: null, body, names: inputs.map(({ name }, place) => [name, files[place].name]) };
  };
  return { name: "npy", words: ".npy", node, asked };
}

function pictureMode() {
  const field = fileField("picture", "A picture", "image/*");
  const asked = () => {
    const file = field.file();
    const body = new FormData();
    body.append("file", file, file.name);
    return { type: null, body, names: [["file", file.name]] };
  };
  return { name: "picture", words: "Picture", node: field.node, asked };
}

function textMode() {
  const field = el("textarea", { rows: 6, id: "asked-text" });
  const node = el("div", { class: "field" }, el("label", { for: "asked-text" }, "A text"), field);
  return { name: "text", words: "Text", node, asked: () => ({ type: "text/plain; charset=utf-8", text: field.value }) };
}

/** A file to choose; `file()` gives it, or throws FieldError. */
function fileField(name, words, accept) {
  const input = el("input", { type: "file", accept, name, class: "file" });
  const hint = el("span", { class: "hint" });
  const picture = el("img", { alt: "", class: "asked-picture", hidden: true });
  input.addEventListener("change", () => {
    const [file] = input.files;
    say(hint, file ? bytes(file.size) : "");
    URL.revokeObjectURL(picture.src);
    picture.hidden = !file?.type.startsWith("image/");
    if (!picture.hidden) picture.src = URL.createObjectURL(file);
  });
  const node = el("div", { class: "stack tight" }, el("label", { class: "field" }, el("span", { class: "label wrap" }, words), input, hint), picture);
  return { node, file: () => input.files[0] ?? refuse(input, "Choose a file") };
}

/** What `make()` gives, or null where a field has what it cannot have; the fields say nothing of it yet. */
function quietly(make) {
  try {
    return make();
  } catch (error) {
    if (error instanceof FieldError) return null;
    throw error;
  }
}

/** What the form would send as JSON, or null. */
const textIn = (mode) => (mode.name === "form" ? (quietly(() => mode.asked())?.text ?? null) : null);
