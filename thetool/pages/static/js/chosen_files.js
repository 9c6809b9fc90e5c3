/** The files that were chosen to be analysed, each with a picture and a way to take it away. */

import { announce } from "./announce.js";
import { el, find, icon } from "./dom.js";
import { bytes, counted } from "./format.js";
import { roving } from "./roving.js";
import { thumbnail } from "./thumbnails.js";

const list = find("#chosen");
const tiles = new Map(); // by file
const join = roving(list, "button"); // of a hundred files the buttons are one stop
let changed = () => {};

/** The files, in the order in which they came. */
export const chosenFiles = () => [...tiles.keys()];

/** Have `told()` called whenever files come or go. */
export function watchFiles(told) {
  changed = told;
}

/** Add files to those that are there; the same file twice is one. */
export function addFiles(files) {
  const known = new Set(chosenFiles().map(identity));
  for (const file of files) {
    if (known.has(identity(file))) continue;
    known.add(identity(file));
    tiles.set(file, tile(file));
    list.append(tiles.get(file));
  }
  join();
  if (files.length) announce(`${counted(tiles.size, "file")} chosen`);
  changed();
}

export function takeAllAway() {
  if (!tiles.size) return;
  tiles.clear();
  list.replaceChildren();
  changed();
}

const identity = ({ name, size, lastModified }) => `${lastModified} ${size} ${name}`;

function tile(file) {
  const label = `Take ${file.name} away`;
  const away = el("button", { type: "button", class: "button bare small", "aria-label": label, title: label }, icon("close"));
  away.addEventListener("click", () => takeAway(file));
  return el(
    "li",
    { class: "chosen" },
    thumbnail(file),
    el("span", { class: "name", title: file.name }, file.name),
    el("span", { class: "hint number" }, bytes(file.size)),
    away,
  );
}

/** Take one away; the focus goes to the next one, or to the button that chooses files. */
function takeAway(file) {
  const node = tiles.get(file);
  const next = node.nextElementSibling ?? node.previousElementSibling;
  tiles.delete(file);
  node.remove();
  join();
  announce(`${file.name} is taken away`);
  changed();
  (next ? find("button", next) : find("#choose")).focus();
}
