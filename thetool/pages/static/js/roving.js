/** One stop of the Tab key for many things of a kind: the arrow keys, Home and End go from one to the next. */

import { findAll } from "./dom.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Let the elements of `selector` in `place` share one stop; new ones join by `join()`, which is given back. */
export function roving(place, selector) {
  const all = () => findAll(selector, place).filter((node) => node.checkVisibility({ visibilityProperty: true }));
  const settle = (chosen) => {
    for (const node of findAll(selector, place)) node.tabIndex = node === chosen ? 0 : -1;
  };
  place.addEventListener("focusin", ({ target }) => target.matches(selector) && settle(target));
  place.addEventListener("keydown", (event) => {
    const nodes = all();
    const here = nodes.indexOf(document.activeElement);
    if (here < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const there = { Home: 0, End: nodes.length - 1 }[event.key] ?? here + STEPS[event.key];
    if (Number.isNaN(there)) return;
    event.preventDefault();
    nodes[Math.min(nodes.length - 1, Math.max(0, there))].focus();
  });
  const join = () => {
    const nodes = findAll(selector, place);
    settle(nodes.find((node) => node.tabIndex === 0) ?? nodes[0]);
  };
  join();
  return join;
}
