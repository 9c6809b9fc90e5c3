/** How each part of a photo's analysis is shown. Lines with `data-mark` belong to a box that is drawn over the photo. */

import { copyButton } from "./clipboard.js";
import { el, say } from "./dom.js";
import { bytes, count, counted, percent } from "./format.js";
import { announce } from "./announce.js";

const MOST_ROWS = 12;
const MOST_LINES = 200;
const WORTH_TELLING = 0.01; // share of a photo

/** The layers that can be drawn over a photo with these findings. */
export function layersOf({ objects, text }) {
  const marks = (items, kind, wordsOf) =>
    items.map((item, place) => ({ id: `${kind}-${place}`, words: wordsOf(item), confidence: item.confidence, box: item.box }));
  return [
    { name: "Objects", things: "Objects in the photo", marks: marks(objects?.items ?? [], "object", ({ label }) => label) },
    { name: "Text", things: "Lines of text in the photo", marks: marks(text?.lines ?? [], "line", (line) => line.text) },
  ];
}

/** A part's value becomes `{ head, body }`. */
export const PHOTO_PARTS = {
  labels: ["What it shows", labels],
  objects: ["Objects", objects],
  text: ["Text", textInImage],
  palette: ["Colours", palette],
  quality: ["Quality", quality],
  info: ["File", info],
};

function labels({ items, sure }) {
  const [best] = items;
  const head = el("span", { class: "value" }, sure ? el("b", {}, best.label) : el("span", { class: "tag" }, "unsure"));
  return {
    head: best ? head : null,
    body: [
      el("dl", { class: "bars" }, items.flatMap(({ label, confidence }) => bar(label, confidence))),
      sure ? null : el("p", { class: "hint" }, "No guess is likely; take them for hints."),
    ],
  };
}

function bar(label, confidence, mark = null) {
  return [
    el("dt", { "data-mark": mark }, label),
    el("dd", { class: "track", "aria-hidden": "true", "data-mark": mark }, el("span", { vars: { part: confidence } })),
    el("dd", { class: "number", "data-mark": mark }, percent(confidence)),
  ];
}

function objects({ items }) {
  if (!items.length) return { head: el("span", { class: "value quiet" }, "none found"), body: [] };
  const rows = items.slice(0, MOST_ROWS).flatMap(({ label, confidence }, place) => bar(label, confidence, `object-${place}`));
  const left = items.length - MOST_ROWS;
  return {
    head: el("span", { class: "value quiet" }, tally(items)),
    body: [
      el("dl", { class: "bars" }, rows),
      left > 0 ? el("p", { class: "hint" }, `${count(left)} more are drawn over the photo, and in the JSON.`) : null,
    ],
  };
}

/** "3 persons, 1 bus" would need a grammar; "person 3 · bus" does not. */
export function tally(items) {
  const counts = new Map();
  for (const { label } of items) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, number]) => (number > 1 ? `${label} × ${number}` : label)).join(" · ");
}

function textInImage({ text, lines }) {
  if (!lines.length) return { head: el("span", { class: "value quiet" }, "none found"), body: [] };
  const shown = lines.slice(0, MOST_LINES);
  const left = lines.length - shown.length;
  return {
    head: el(
      "span",
      { class: "value row" },
      el("span", { class: "quiet" }, counted(lines.length, "line")),
      copyButton(() => text, "Copy the text", "Copy"),
    ),
    body: [
      el(
        "ul",
        { class: "lines", tabindex: "0", "aria-label": "The text in the photo" },
        shown.map((line, place) =>
          el("li", { "data-mark": `line-${place}`, title: `sure to ${percent(line.confidence)}` }, line.text),
        ),
      ),
      left ? el("p", { class: "hint" }, `${counted(left, "line")} more in the copy.`) : null,
    ],
  };
}

function palette({ colours }) {
  return {
    body: [
      el(
        "div",
        { class: "palette", "aria-hidden": "true" },
        colours.map(({ hex, share }) => el("span", { vars: { colour: hex, share } })),
      ),
      el("ul", { class: "colours" }, colours.map(colour)),
    ],
  };
}

/** One colour; pressing it copies its code. */
function colour({ hex, share, name }) {
  const code = el("code", {}, hex);
  const button = el(
    "button",
    { type: "button", class: "colour", "aria-label": `${name} ${hex} ${percent(share)}: copy the code` },
    el("span", { class: "swatch", vars: { colour: hex } }),
    el("span", {}, el("b", {}, name), " ", el("span", { class: "hint" }, code, ` ${percent(share)}`)),
  );
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(hex);
      announce(`${hex} is copied`);
      say(code, "copied");
    } catch {
      announce("This browser would not copy");
      say(code, "not copied");
    }
    setTimeout(() => say(code, hex), 1600);
  });
  return el("li", {}, button);
}

function quality({ sharpness, exposure, noise, resolution }) {
  const share = (part, words) => (part > WORTH_TELLING ? `${percent(part)} of it is ${words}.` : null);
  const told = [
    ["sharpness", sharpness, (value) => value.toFixed(2)],
    ["exposure", exposure, (value) => `lightness ${value.toFixed(2)}`],
    ["noise", noise, (value) => value.toFixed(1)],
    ["resolution", resolution, (value) => `${value.toFixed(value < 10 ? 1 : 0)} megapixels`],
  ].filter(([, judged]) => judged);
  const hints = [share(exposure?.shadows, "black"), share(exposure?.highlights, "white")].filter(Boolean);
  return {
    body: [
      el("dl", { class: "counts" }, told.map(([name, { value, word }, words]) => fact(name, word, value === null ? null : words(value)))),
      hints.length ? el("p", { class: "hint" }, hints.join(" ")) : null,
    ],
  };
}

const fact = (name, value, more = null) =>
  el("div", {}, el("dt", {}, name, more ? ` · ${more}` : null), el("dd", { class: "number" }, value));

function info(value) {
  const { width, height, bits, mode, frames, icc_profile: profile, exif, location, notes = [] } = value;
  const facts = [
    ["pixels", `${count(width)} × ${count(height)}`],
    ["megapixels", value.megapixels.toFixed(value.megapixels < 10 ? 1 : 0)],
    ["format", value.format],
    ["size", bytes(value.bytes)],
    ["a pixel", bits ? `${mode}, ${bits} bit` : mode],
    ["pictures in it", frames > 1 ? `${count(frames)}; this is the first` : null],
    ["colour profile", profile],
    ["orientation", value.orientation_applied ? "turned as its EXIF says" : null],
    ["taken at", location ? place(location) : null],
  ].filter(([, told]) => told);
  return {
    body: [
      el("dl", { class: "counts" }, facts.map(([name, told]) => fact(name, told))),
      notes.length ? el("ul", { class: "hint" }, notes.map((note) => el("li", {}, note))) : null,
      exif && Object.keys(exif).length ? camera(exif) : null,
    ],
  };
}

function place({ latitude, longitude, altitude }) {
  const high = altitude === null || altitude === undefined ? "" : `, ${Math.round(altitude)} m`;
  return `${latitude.toFixed(5)}, ${longitude.toFixed(5)}${high}`;
}

/** What the camera noted. */
function camera(exif) {
  const pairs = Object.entries(exif).map(([name, value]) => [el("dt", {}, name), el("dd", {}, [value].flat().join(", "))]);
  return el(
    "details",
    { class: "camera" },
    el("summary", {}, `What the camera noted (${count(pairs.length)})`),
    el("dl", { class: "pairs" }, pairs.flat()),
  );
}

/** What a photo's findings come to, in a few words. */
export function photoGist({ labels: shows, objects: things, text, palette: colours, info: file }) {
  return [
    shows?.items.length && shows.sure && `${shows.items[0].label} ${percent(shows.items[0].confidence)}`,
    things && (things.items.length ? tally(things.items) : "no objects"),
    text?.lines.length && `${counted(text.lines.length, "line")} of text`,
    !shows && !things && !text && colours?.colours.length && `mostly ${colours.colours[0].name}`,
    !shows && !things && !text && file && `${count(file.width)} × ${count(file.height)}`,
  ].filter(Boolean);
}
