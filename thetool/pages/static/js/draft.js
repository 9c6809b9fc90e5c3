/** What stands in the form of Analyze: kept over a reload, and told as a request. */

import { addFiles, chosenFiles, takeAllAway, watchFiles } from "./chosen_files.js";
import { kindOf } from "./content_kind.js";
import { find, findAll, say } from "./dom.js";
import { filesOf, holdsFiles } from "./dropped.js";
import { bytes, counted } from "./format.js";
import { keepDraft, keptDraft, LONGEST_KEPT } from "./kept.js";
import { preview } from "./preview.js";

const SWITCHES = ["sentences", "exhaustive", "annotate", "location"];
const KINDS = ["text", "image", "table"];

const form = find("#analyze");
const text = find("#text");
const zone = find("#drop");
let telling;
let read = { of: null, options: {} }; // how the one table that is chosen is to be read

/**
 * What to send: `{ text, url, files, kinds, tasks, labels, sentences, exhaustive, annotate, location, strategy, reading }`.
 * One of text, url and files is what it is about. `tasks` has a list for each kind of content, or null where it is that of
 * `usual`; `reading` are the options by which somebody had the one file read otherwise.
 */
export function draft() {
  const files = chosenFiles();
  const url = !files.length && isAddress(text.value) && form.elements.fetch.checked ? text.value.trim() : null;
  return {
    text: files.length || url ? null : text.value,
    url,
    files,
    kinds: kindsOf(files, url),
    tasks: Object.fromEntries(KINDS.map((kind) => [kind, tasksOf(kind)])),
    usual: Object.fromEntries(KINDS.map((kind) => [kind, usualOf(kind)])),
    strategy: form.elements.strategy.value,
    reading: files.length === 1 && files[0] === read.of ? read.options : {},
    labels: form.elements.labels.value
      .split(",")
      .map((label) => label.trim())
      .filter(Boolean),
    ...Object.fromEntries(SWITCHES.map((name) => [name, form.elements[name]?.checked ?? false])),
  };
}

/** What the draft is about; of an address its path is all there is to judge by. */
function kindsOf(files, url) {
  if (url) return [kindOf({ name: url.replace(/[?#].*/, ""), type: "" })];
  return files.length ? [...new Set(files.map(kindOf))] : ["text"];
}

const ADDRESS = form.dataset.http ? /^\s*https?:\/\/[^\s/]+\S*\s*$/i : /^\s*https:\/\/[^\s/]+\S*\s*$/i;
const isAddress = (words) => ADDRESS.test(words);
const boxes = () => findAll('[name="task"]', form);

const boxesOf = (kind) => boxes().filter((box) => box.dataset.kind === kind);
const namesOf = (some) => some.map((box) => box.value);
const usualOf = (kind) => namesOf(boxesOf(kind).filter((box) => box.defaultChecked));

function tasksOf(kind) {
  if (boxesOf(kind).every((box) => box.checked === box.defaultChecked)) return null;
  return namesOf(boxesOf(kind).filter((box) => box.checked));
}

/** Put a text and what to look for into the form, in place of files if there are some. */
export function fill({ text: value, labels = "", sentences = "" }) {
  takeAllAway();
  text.value = value;
  form.elements.labels.value = labels;
  form.elements.sentences.checked = Boolean(sentences);
  changed();
}

/** Have the one file that is chosen read by these options from now on. */
export function readBy(options) {
  read = { of: chosenFiles()[0], options };
  changed();
}

/** Put a file into the form, in place of all that is there. */
export function fillFile(file) {
  fill({ text: "" });
  addFiles([file]);
}

/** Show what is there, and tell of a change; of a very long text only once the person pauses. */
function changed() {
  const { files, kinds } = draft();
  const long = text.value.length > LONGEST_KEPT;
  form.dispatchEvent(new Event("edited"));
  zone.dataset.holds = files.length ? "files" : "text";
  if (files.length && document.activeElement === text) find("#go").focus(); // the text box goes
  text.hidden = files.length > 0;
  find("#chosen").hidden = !files.length;
  preview(files.length === 1 ? files[0] : null);
  for (const part of findAll("[data-for]", form)) part.hidden = !kinds.includes(part.dataset.for);
  find("#address").hidden = files.length > 0 || !isAddress(text.value);
  say(find("#choose"), files.length ? "Add files…" : "Choose files…");
  say(find("#size"), files.length ? sizeOf(files) : counted(codePoints(text.value), "character"));
  clearTimeout(telling);
  telling = setTimeout(() => form.dispatchEvent(new Event("draft")), long ? 300 : 0);
}

const sizeOf = (files) => `${counted(files.length, "file")} · ${bytes(files.reduce((sum, { size }) => sum + size, 0))}`;

/** Characters as the API counts them: a pair of surrogates is one. */
const codePoints = (words) => words.length - (words.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);

/** Keep the text and the choices for a reload of this tab. Files cannot be kept. */
function keep() {
  keepDraft({
    text: text.value.length <= LONGEST_KEPT ? text.value : "",
    tasks: Object.fromEntries(boxes().map((box) => [box.value, box.checked])),
    labels: form.elements.labels.value,
    strategy: form.elements.strategy.value,
    switches: Object.fromEntries(SWITCHES.map((name) => [name, form.elements[name]?.checked ?? false])),
  });
}

function restore() {
  const kept = keptDraft();
  if (!kept) return;
  if (kept.text) text.value = kept.text;
  form.elements.labels.value = kept.labels ?? "";
  form.elements.strategy.value = kept.strategy ?? "";
  for (const name of SWITCHES) if (form.elements[name]) form.elements[name].checked = kept.switches?.[name] ?? false;
  for (const box of boxes()) box.checked = kept.tasks?.[box.value] ?? box.defaultChecked;
}

/** Listen to the form; `told()` is called now and after each change. */
export function watchDraft(told) {
  restore();
  watchFiles(changed);
  form.addEventListener("input", changed);
  form.addEventListener("draft", () => {
    keep();
    told();
  });
  const input = find("#file");
  find("#choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    addFiles([...input.files]);
    input.value = ""; // so that a file which was taken away can be chosen again
  });
  watchDrops();
  changed();
}

function watchDrops() {
  addEventListener("dragover", (event) => {
    if (!holdsFiles(event.dataTransfer)) return;
    event.preventDefault();
    zone.dataset.over = "";
  });
  addEventListener("dragleave", (event) => event.relatedTarget ?? delete zone.dataset.over);
  addEventListener("drop", async (event) => {
    if (!holdsFiles(event.dataTransfer)) return;
    event.preventDefault();
    delete zone.dataset.over;
    addFiles(await filesOf(event.dataTransfer));
  });
  addEventListener("paste", async (event) => {
    if (!holdsFiles(event.clipboardData) || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    addFiles(await filesOf(event.clipboardData));
  });
}
