/** Before and after in one place, with a divider that is moved by pointer and by arrow keys. */

import { el } from "./dom.js";

/** The view; `show(after, words)` changes the picture that is compared, `alone(picture, words)` shows one by itself. */
export function compareView(before, after, [wide, high]) {
  const first = el("img", { src: before, alt: "The room before" });
  const second = el("img", { src: after, alt: "The room after", class: "after" });
  const slider = el("input", {
    type: "range",
    min: 0,
    max: 100,
    value: 50,
    "aria-label": "How far the old room is seen, in per cent from the left",
  });
  const marks = el("div", { class: "marks" });
  const node = el(
    "div",
    { class: "compare", vars: { wide, high } },
    first,
    second,
    slider,
    el("span", { class: "divide" }),
    el("span", { class: "tag before" }, "Before"),
    el("span", { class: "tag now" }, "After"),
    marks,
  );
  slider.addEventListener("input", () => node.style.setProperty("--at", slider.value));
  const show = (picture) => {
    node.classList.remove("single");
    node.style.setProperty("--at", slider.value);
    marks.replaceChildren();
    Object.assign(first, { src: before, alt: "The room before" });
    Object.assign(second, { src: picture, alt: "The room after" });
  };
  const alone = (picture, words, boxes = []) => {
    node.classList.add("single");
    node.style.setProperty("--at", 0);
    Object.assign(second, { src: picture, alt: words });
    marks.replaceChildren(...boxes);
  };
  return { node, show, alone };
}
