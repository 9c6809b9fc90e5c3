/** A restyled room: before and after, what guided it, what was seen in it, how good it is. */

import { pathOf } from "./api.js";
import { compareView } from "./compare.js";
import { el } from "./dom.js";
import { duration, percent } from "./format.js";

const MEASURES = [
  ["structure", "Same room"],
  ["style", "Colours of the style"],
  ["sharpness", "Sharpness"],
];
const MAPS = { depth: "Depth", edges: "Edges", mask: "What was painted" };

/** The view of `state`; `again()` asks for it with another seed. */
export function resultView({ result, style }, again) {
  const { metadata } = result;
  const size = metadata.size;
  const compare = compareView(pathOf(result.before_url), pathOf(result.transformed_url), size);
  const download = el("a", { class: "button main", download: `${style}.${result.control_urls.mask ? "png" : "jpg"}` }, "Download");
  const quality = el("dl", { class: "measures" });
  const shown = { number: 0 };
  const choose = (number) => {
    const one = result.variations[number];
    shown.number = number;
    download.href = pathOf(one.transformed_url);
    quality.replaceChildren(...measures(one.quality));
    pick(0);
  };
  const { node: views, pick } = viewChoice(result, compare, shown);
  const thumbnails = variationChoice(result, choose, size);
  choose(0);
  return el(
    "div",
    { class: "stack", id: "restyled" },
    el(
      "section",
      { class: "panel stack", "aria-label": "Before and after" },
      compare.node,
      views,
      thumbnails,
      el(
        "div",
        { class: "row" },
        download,
        el("button", { type: "button", class: "button", id: "again", on: { click: again } }, "Again with another seed"),
      ),
    ),
    notes(metadata.notes),
    el("section", { class: "panel stack", "aria-label": "Measures" }, el("h2", {}, "How good it is"), quality),
    facts(metadata, result.objects),
  );
}

/** Which view is shown: compared, or one of the maps, or the objects in the photo. */
function viewChoice(result, compare, shown) {
  const maps = Object.entries(result.control_urls).map(([name, address]) => [
    MAPS[name] ?? name,
    () => compare.alone(pathOf(address), `${MAPS[name] ?? name} of the room`),
  ]);
  const boxes = () => result.objects.map((item) => box(item, result.metadata.photo_size));
  const views = [
    ["Compare", () => compare.show(pathOf(result.variations[shown.number].transformed_url))],
    ...maps,
    ...(result.objects.length ? [["Objects", () => compare.alone(pathOf(result.before_url), "The photo", boxes())]] : []),
  ];
  const inputs = views.map(([, show], number) =>
    el("input", { type: "radio", name: "view", checked: number === 0, on: { change: show } }),
  );
  const labels = views.map(([words], number) => el("label", {}, inputs[number], el("span", {}, words)));
  const node = el("div", { class: "segments", role: "radiogroup", "aria-label": "View" }, labels);
  const pick = (number) => {
    inputs[number].checked = true;
    views[number][1]();
  };
  return { node, pick };
}

function variationChoice({ variations }, choose, [wide, high]) {
  if (variations.length < 2) return null;
  const buttons = variations.map(({ thumbnail_url: address, seed }, number) =>
    el(
      "button",
      { type: "button", "aria-pressed": number === 0 ? "true" : "false", on: { click: () => press(number) } },
      el("img", { src: pathOf(address), alt: `Picture ${number + 1}, seed ${seed}`, vars: { wide, high } }),
    ),
  );
  const press = (number) => {
    buttons.forEach((button, other) => button.setAttribute("aria-pressed", other === number ? "true" : "false"));
    choose(number);
  };
  return el("div", { class: "variations", role: "group", "aria-label": "Pictures" }, buttons);
}

function box({ label, confidence, box: [left, top, right, bottom] }, [width, height]) {
  const place = { x: left / width, y: top / height, wide: (right - left) / width, high: (bottom - top) / height, rank: 1 };
  const words = el("span", { class: "words" }, el("span", { class: "name" }, label), el("span", { class: "number" }, percent(confidence)));
  return el("div", { class: `mark${top / height < 0.06 ? " inside" : ""}`, vars: place }, words);
}

const measures = (quality) =>
  MEASURES.map(([name, words]) => {
    const { value, meaning, passed } = quality[name];
    const told = value === null ? "nothing to measure" : `${value.toFixed(2)}${passed ? "" : ", low"}`;
    return [el("dt", {}, words, el("span", { class: "number" }, told)), el("dd", { class: "hint" }, meaning)];
  }).flat();

function notes(said) {
  if (!said.length) return null;
  return el("section", { class: "panel", "aria-label": "Notes" }, el("ul", { class: "stack tight" }, said.map((note) => el("li", {}, note))));
}

function facts(metadata, objects) {
  const seen = objects.map(({ label }) => label).join(", ");
  const pairs = [
    ["Room", metadata.room_type?.replaceAll("_", " ") ?? "not told by its objects"],
    ["Objects", seen || "none found"],
    ["Seed", String(metadata.seed)],
    ["Steps", String(metadata.steps)],
    ["Size", `${metadata.size.join(" × ")} pixels`],
    ["Time", duration(metadata.processing_time * 1000)],
    ["On the device", `${duration(metadata.gpu_seconds * 1000)}, ${metadata.device}`],
    ["Cost", metadata.cost === null ? null : metadata.cost.toFixed(5)],
    ["Models", metadata.models.map(({ name, licence }) => `${name} (${licence})`).join(", ")],
  ].filter(([, value]) => value !== null);
  return el(
    "details",
    { class: "panel more" },
    el("summary", {}, "How it was made"),
    el("dl", { class: "pairs" }, pairs.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]).flat()),
  );
}
