/** A photo with what was found drawn over it: boxes that the pointer or the arrow keys go through. */

import { el, find, findAll } from "./dom.js";
import { percent } from "./format.js";
import { roving } from "./roving.js";

const FEW = 8; // so many boxes all carry their words; of more only the one that is looked at

/**
 * The figure.
 * @param {string[]} addresses of the picture, best first; the next one is taken where a browser cannot show the last
 * @param {string} name what the photo is called
 * @param {boolean} small whether there is a small picture only
 * @param {{width: number, height: number} | null} size of the upright full-size image, which boxes are measured in
 * @param {{name: string, things: string, marks: {id: string, words: string, confidence: number, box: number[]}[]}[]} layers
 */
export function picture({ addresses, name, small, size, layers }) {
  const image = el("img", { alt: `The photo ${name}`, decoding: "async" });
  const stage = el("div", { class: small ? "stage small" : "stage" }, image);
  const shown = layers.filter(({ marks }) => marks.length);
  const choice = shown.length ? layerChoice(shown, stage) : null;
  const node = el("figure", { class: "picture" }, stage, choice);
  const draw = (extent) => {
    setExtent(stage, extent);
    stage.append(...shown.map((layer, place) => layerOf(layer, extent, place === 0)));
  };
  if (size) draw(size);
  image.addEventListener("load", () => {
    URL.revokeObjectURL(image.src); // a file's own address is needed no longer
    const natural = { width: image.naturalWidth, height: image.naturalHeight };
    if (!size) draw((size = natural));
    else if (turned(size, natural)) next(); // the browser shows it otherwise than the service saw it
  });
  const left = [...addresses];
  const next = () => (left.length ? image.setAttribute("src", left.shift()) : (node.hidden = true));
  image.addEventListener("error", next);
  next();
  return node;
}

function setExtent(stage, { width, height }) {
  stage.style.setProperty("--wide", width);
  stage.style.setProperty("--high", height);
}

/** Whether one picture is upright and the other is not, give or take the rounding of a small one. */
function turned(one, other) {
  const ratio = one.width / one.height / (other.width / other.height);
  return ratio < 0.8 || ratio > 1.25;
}

function layerOf({ name, things, marks }, extent, first) {
  const node = el(
    "ul",
    {
      class: `marks ${marks.length > FEW ? "many" : ""}`,
      role: "listbox",
      "aria-label": things,
      "data-layer": name,
      "data-off": !first,
    },
    marks.map((mark) => markOf(mark, extent)),
  );
  roving(node, ".mark");
  return node;
}

function markOf({ id, words, confidence, box }, { width, height }) {
  const [left, top, right, bottom] = box;
  const [wide, high] = [(right - left) / width, (bottom - top) / height];
  const told = `${words} ${percent(confidence)}`;
  const look = ["mark", left / width > 0.7 ? "to-left" : "", top / height < 0.08 ? "inside" : ""].join(" ").trim();
  return el(
    "li",
    {
      class: look,
      role: "option",
      "aria-selected": "false",
      "aria-label": `${told}, ${Math.round(right - left)} by ${Math.round(bottom - top)} pixels`,
      "data-mark": id,
      // a small thing lies over a large one, so that the pointer finds both
      vars: { x: left / width, y: top / height, wide, high, rank: Math.round(1000 * (1 - wide * high)) },
    },
    el("span", { class: "words" }, el("span", { class: "name" }, words), el("span", { class: "number" }, percent(confidence))),
  );
}

/** Which layer is drawn, or none. */
function layerChoice(layers, stage) {
  const options = [...layers.map(({ name, marks }) => [name, `${name} ${marks.length}`]), ["", "None"]];
  const group = `layer-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const show = (chosen) => {
    for (const layer of findAll(".marks", stage)) layer.toggleAttribute("data-off", layer.dataset.layer !== chosen);
  };
  return el(
    "fieldset",
    { class: "segments" },
    el("legend", { class: "unseen" }, "Drawn over the photo"),
    options.map(([value, word], place) => {
      const input = el("input", { type: "radio", name: group, value, checked: place === 0 });
      input.addEventListener("change", () => show(value));
      return el("label", {}, input, el("span", {}, word));
    }),
  );
}

/** Light up what belongs together: pointing at a box, or at its line in the findings, shows both. */
export function linkMarks(root) {
  let pointed = null;
  let focused = null;
  const show = () => {
    const id = pointed ?? focused;
    for (const node of findAll("[data-mark]", root)) {
      const lit = node.dataset.mark === id;
      node.classList.toggle("lit", lit);
      if (node.role === "option") node.setAttribute("aria-selected", String(lit));
    }
    find(".stage", root)?.toggleAttribute("data-lit", id !== null);
  };
  const idOf = ({ target }) => target.closest("[data-mark]")?.dataset.mark ?? null;
  // not pointerover: a page that scrolls below a still pointer says nothing of what the person looks at
  root.addEventListener("pointermove", (event) => idOf(event) !== pointed && show((pointed = idOf(event))));
  root.addEventListener("pointerleave", () => show((pointed = null)));
  root.addEventListener("focusin", (event) => {
    focused = idOf(event);
    pointed = null; // whichever of the two moved last
    show();
  });
  root.addEventListener("focusout", () => show((focused = null)));
  root.addEventListener("pointerdown", ({ target }) => target.closest(".mark")?.focus());
  root.addEventListener("keydown", (event) => event.key === "Escape" && show((focused = pointed = null)));
}
