/** Many files in the page: how far they are together, a tile for each, and the one that is looked at. */

import { el, find, say } from "./dom.js";
import { count, counted, progress } from "./format.js";
import { problemNotice } from "./problem.js";
import { gists, thumbnailAddress } from "./result.js";
import { roving } from "./roving.js";
import { placeholder, thumbnail, thumbnailOf } from "./thumbnails.js";

const WORDS = { unsent: "to be sent", sending: "being sent", queued: "waiting", running: "at work" };
const SETTLED = ["completed", "failed", "cancelled"];

/**
 * The view of `items`; `chosen(item)` is told when somebody wants to see one, `cancel()` when all is to stop. `note` is
 * said above them.
 */
export function manyView(items, { chosen, cancel, note }) {
  const total = totals();
  const tiles = new Map(items.map((item) => [item, tile(item, chosen)]));
  const list = el("ul", { class: "tiles", "aria-label": "Files" }, [...tiles.values()].map(({ node }) => node));
  const trouble = el("div", { class: "slot" });
  const place = el("div", { class: "slot" });
  const hint = note ? el("p", { class: "hint" }, note) : null;
  const stop = el("button", { type: "button", class: "button small" }, "Cancel all");
  stop.addEventListener("click", async () => {
    stop.disabled = true;
    try {
      await cancel();
    } catch (error) {
      stop.disabled = false;
      trouble.replaceChildren(problemNotice(error));
    }
  });
  const download = el("button", { type: "button", class: "button small", hidden: true }, "Download the answers");
  download.addEventListener("click", () => save(items));
  total.actions.append(stop, download);
  const panel = el("section", { class: "panel stack many", "aria-label": "Files" }, total.node, hint, trouble, list);
  roving(list, ".tile");
  const failuresFirst = () => {
    const held = document.activeElement;
    list.prepend(...items.filter(({ state }) => state === "failed").map((item) => tiles.get(item).node));
    if (list.contains(held)) held.focus({ preventScroll: true }); // moving a node takes the focus from it
  };
  const sentParts = new Map();
  const tell = () => total.show(items, (item) => sentParts.get(item) ?? null);
  tell();
  return {
    node: el("div", { class: "stack" }, panel, place),
    show: (item) => (tiles.get(item).show(item), tell()),
    choose: (item) => tiles.forEach(({ button }, one) => button.setAttribute("aria-current", String(one === item))),
    detail: (node) => place.replaceChildren(...(node ? [node] : [])),
    trouble: (problem) => trouble.replaceChildren(...(problem ? [problemNotice(problem)] : [])),
    sending: (some, fraction) => {
      for (const item of some) fraction === null ? sentParts.delete(item) : sentParts.set(item, fraction);
      tell();
    },
    done: () => {
      stop.hidden = true;
      download.hidden = !items.some(({ analysis }) => analysis);
      failuresFirst();
    },
    summary: () => standing(items),
  };
}

/** "38 of 40 files done · 2 failed". */
function standing(items) {
  const of = (state) => items.filter((item) => item.state === state).length;
  const others = ["failed", "cancelled"].filter(of).map((state) => `${count(of(state))} ${state}`);
  return [`${count(of("completed"))} of ${counted(items.length, "file")} done`, ...others].join(" · ");
}

/** The head: in words and as a bar, how far all are; a file's sending is a tenth of its way. */
function totals() {
  const words = el("h2", {});
  const hint = el("span", { class: "hint number" });
  const filling = el("span");
  const label = { role: "progressbar", "aria-label": "Progress of all", "aria-valuemin": 0, "aria-valuemax": 100 };
  const track = el("div", { class: "track", ...label }, filling);
  const actions = el("span", { class: "row end" });
  const node = el("div", { class: "stack tight" }, el("div", { class: "row" }, words, hint, actions), track);
  const show = (items, sentPart) => {
    const fraction = items.reduce((sum, item) => sum + partOf(item, sentPart(item)), 0) / items.length;
    const sending = items.map(sentPart).find((sent) => sent !== null);
    say(words, standing(items));
    say(hint, sending === undefined || sending === 1 ? "" : `${progress(sending)} sent`);
    filling.style.setProperty("--part", fraction);
    track.setAttribute("aria-valuenow", Math.floor(fraction * 100));
  };
  return { node, actions, show };
}

function partOf({ state, job }, sent) {
  if (SETTLED.includes(state)) return 1;
  if (state === "unsent") return 0;
  if (state === "sending") return 0.1 * (sent ?? 0);
  return 0.1 + 0.9 * (job?.progress ?? 0);
}

function tile(item, chosen) {
  const said = el("span", { class: "said" });
  const filling = el("span");
  const bar = el("span", { class: "track", "aria-hidden": "true" }, filling);
  const picture = item.file ? thumbnail(item.file) : placeholder(item.kind);
  const words = el("span", { class: "words" }, el("b", { title: item.name }, item.name), said, bar);
  const button = el("button", { type: "button", class: "tile", "aria-current": "false" }, picture, words);
  button.addEventListener("click", () => chosen(item));
  const show = ({ state, analysis, problem, job, file }) => {
    const settled = SETTLED.includes(state);
    button.dataset.state = state;
    say(said, analysis ? gists(analysis).join(" · ") || "done" : problem ? whyNot(problem) : (job?.stage ?? WORDS[state]));
    bar.hidden = settled;
    filling.style.setProperty("--part", state === "running" ? (job?.progress ?? 0) : 0);
    const address = analysis && !file ? thumbnailAddress(analysis) : null;
    if (address && !find("img", button)) find(".thumb", button).replaceWith(thumbnailOf(address));
  };
  show(item);
  return { node: el("li", {}, button), button, show };
}

const whyNot = ({ title, detail, code }) => (code === "cancelled" ? "cancelled" : (detail ?? title));

/** Save all answers as one JSON file, each with the name of its file. */
function save(items) {
  const answers = items.map(({ name, analysis = null, problem = null }) => ({
    filename: name,
    ...(analysis ? { analysis } : {}),
    ...(problem ? { problem: { title: problem.title, detail: problem.detail, code: problem.code } } : {}),
  }));
  const href = URL.createObjectURL(new Blob([JSON.stringify(answers, null, 2)], { type: "application/json" }));
  const link = el("a", { href, download: "analyses.json" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
