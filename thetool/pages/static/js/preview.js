/** One chosen file as it is: a photo whole, of a text the beginning. */

import { kindOf } from "./content_kind.js";
import { el, find } from "./dom.js";

const SHOWN_OF_TEXT = 4_000; // bytes

const place = find("#preview");
let shown = null;
let address = null;

/** Show `file`, or nothing for null. */
export function preview(file) {
  if (file === shown) return;
  shown = file;
  if (address) URL.revokeObjectURL(address);
  address = null;
  place.replaceChildren();
  place.hidden = !file;
  if (file) kindOf(file) === "image" ? showPhoto(file) : showText(file);
}

function showPhoto(file) {
  address = URL.createObjectURL(file);
  const image = el("img", { src: address, alt: `The photo ${file.name}` });
  image.addEventListener("error", () => {
    if (file === shown) say("This browser does not show such a picture; the service may read it.");
  });
  place.append(image);
}

async function showText(file) {
  const beginning = await file.slice(0, SHOWN_OF_TEXT).text();
  if (file !== shown) return;
  const readable = !/[\0\uFFFD]/.test(beginning.slice(0, -2));
  if (!readable) return say("This file does not look like text in UTF-8.");
  const text = beginning + (file.size > SHOWN_OF_TEXT ? " …" : "");
  place.replaceChildren(el("p", { class: "wrap", tabindex: "0", "aria-label": `The beginning of ${file.name}` }, text));
}

const say = (words) => place.replaceChildren(el("p", { class: "quiet" }, words));
