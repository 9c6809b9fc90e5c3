/** What stands in the form of Analyze: kept over a reload, and told as a request. */

import { find, findAll, say } from "./dom.js";
import { bytes, counted } from "./format.js";
import { keepDraft, keptDraft, LONGEST_KEPT } from "./kept.js";

const SHOWN_OF_FILE = 4_000;

const form = find("#analyze");
const text = find("#text");
const chip = find("#chip");
let file = null;
let telling;

/** What to send: `{ text, file, tasks, labels, sentences }`; `text` or `file` is null. */
export function draft() {
  return {
    text: file ? null : text.value,
    file,
    tasks: findAll('[name="task"]:checked', form).map((box) => box.value),
    labels: form.elements.labels.value
      .split(",")
      .map((label) => label.trim())
      .filter(Boolean),
    sentences: form.elements.sentences.checked,
  };
}

export const allTasks = () => findAll('[name="task"]', form).map((box) => box.value);

/** Put a text and what to look for into the form, in place of a file if there is one. */
export function fill({ text: value, labels = "", sentences = "" }) {
  takeFileAway();
  text.value = value;
  form.elements.labels.value = labels;
  form.elements.sentences.checked = Boolean(sentences);
  changed();
}

/** Take a file instead of a text; its beginning is shown, and cannot be edited. */
export async function takeFile(chosen) {
  file = chosen;
  say(find("b", chip), chosen.name);
  say(find(".quiet", chip), bytes(chosen.size));
  chip.hidden = false;
  text.readOnly = true;
  text.value = "";
  changed();
  const beginning = await chosen.slice(0, SHOWN_OF_FILE).text();
  if (file !== chosen) return;
  const readable = !/[\0\uFFFD]/.test(beginning.slice(0, -2));
  text.value = readable
    ? beginning + (chosen.size > SHOWN_OF_FILE ? " …" : "")
    : "(This file does not look like text in UTF-8.)";
}

export function takeFileAway() {
  if (!file) return;
  file = null;
  chip.hidden = true;
  find("#file").value = "";
  text.readOnly = false;
  text.value = "";
  changed();
}

/** Tell of a change; in a very long text only once the person pauses, because the request is made anew each time. */
function changed() {
  const long = text.value.length > LONGEST_KEPT;
  say(find("#size"), file ? "" : counted(codePoints(text.value), "character"));
  clearTimeout(telling);
  telling = setTimeout(() => form.dispatchEvent(new Event("draft")), long ? 300 : 0);
}

/** Characters as the API counts them: a pair of surrogates is one. */
const codePoints = (words) => words.length - (words.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);

/** Keep the text and the choices for a reload of this tab. A file cannot be kept. */
function keep() {
  const { text: value, tasks, sentences } = draft();
  const kept = {
    text: (value ?? "").length <= LONGEST_KEPT ? value : "",
    tasks,
    labels: form.elements.labels.value,
    sentences,
  };
  keepDraft(kept);
}

function restore() {
  const kept = keptDraft();
  if (!kept) return;
  if (kept.text) text.value = kept.text;
  form.elements.labels.value = kept.labels;
  form.elements.sentences.checked = kept.sentences;
  for (const box of findAll('[name="task"]', form)) box.checked = kept.tasks.includes(box.value);
}

/** Listen to the form; `told()` is called now and after each change. */
export function watchDraft(told) {
  restore();
  form.addEventListener("input", changed);
  form.addEventListener("draft", () => {
    keep();
    told();
  });
  find("button", chip).addEventListener("click", () => {
    takeFileAway();
    text.focus();
  });
  find("#choose").addEventListener("click", () => find("#file").click());
  find("#file").addEventListener("change", ({ target }) => target.files[0] && takeFile(target.files[0]));
  watchDrops();
  changed();
}

function watchDrops() {
  const zone = find("#drop");
  const holdsFile = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    zone.dataset.over = "";
  });
  addEventListener("dragleave", (event) => event.relatedTarget ?? delete zone.dataset.over);
  addEventListener("drop", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    delete zone.dataset.over;
    takeFile(event.dataTransfer.files[0]);
  });
}
