/** One chosen file as it is: a photo whole, of a text the beginning, of what is packed what it is. */

import { kindOf } from "./content_kind.js";
import { el, find } from "./dom.js";

const SHOWN_OF_TEXT = 4_000; // bytes
// What begins so is no text; the service looks further, and says what it found.
const PACKED = [
  [[0x50, 0x4b, 0x03, 0x04], zipped],
  [[0x50, 0x41, 0x52, 0x31], () => "A Parquet file: its columns and first rows are shown after reading."],
  [[0x1f, 0x8b], () => "A file packed with gzip: what is in it is shown after reading."],
  [[0xd0, 0xcf, 0x11, 0xe0], () => "An old Office file, which is not read here: save a workbook as .xlsx, and choose it again."],
  [[0x25, 0x50, 0x44, 0x46], () => "A PDF, which is not read here."],
];
const CONTROL = /[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/;

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
  if (file) kindOf(file) === "image" ? showPhoto(file) : showOther(file);
}

function showPhoto(file) {
  address = URL.createObjectURL(file);
  const image = el("img", { src: address, alt: `The photo ${file.name}` });
  image.addEventListener("error", () => {
    if (file === shown) say("This browser does not show such a picture; the service may read it.");
  });
  place.append(image);
}

async function showOther(file) {
  const beginning = new Uint8Array(await file.slice(0, SHOWN_OF_TEXT).arrayBuffer());
  if (file !== shown) return;
  if (!beginning.length) return say("The file is empty.");
  const packed = PACKED.find(([first]) => first.every((byte, at) => beginning[at] === byte));
  if (packed) return say(packed[1](file));
  const { text, guess } = decoded(beginning);
  if (CONTROL.test(text)) return say("This does not look like text; the service says what it makes of it.");
  const rest = file.size > SHOWN_OF_TEXT ? " …" : "";
  const words = el("p", { class: "wrap", tabindex: "0", "aria-label": `The beginning of ${file.name}` }, text + rest);
  place.replaceChildren(...(guess ? [el("p", { class: "hint" }, guess)] : []), words);
}

function zipped({ name }) {
  if (/\.(xls[xm]|ods)$/i.test(name)) return "A workbook: its sheets are shown after reading.";
  return "A packed file: what is in it is shown after reading.";
}

/** The text of a file's first bytes, and what is said of its encoding where that is a guess. */
function decoded(bytes) {
  const marked = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : null;
  const halves = [0, 1].map((odd) => bytes.filter((byte, at) => at % 2 === odd && byte === 0).length);
  const wide = halves.findIndex((nuls) => nuls > bytes.length / 4); // Western text in UTF-16 has a NUL in each pair
  const encoding = marked ?? ["utf-16be", "utf-16le"][wide];
  if (encoding) return { text: new TextDecoder(encoding).decode(bytes), guess: null };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true }), guess: null }; // it may be cut
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const guess = "Not in UTF-8: shown as Windows-1252, which is a guess. The service looks at the whole file.";
    return { text: new TextDecoder("windows-1252").decode(bytes), guess };
  }
}

const say = (words) => place.replaceChildren(el("p", { class: "quiet" }, words));
