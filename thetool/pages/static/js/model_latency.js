/** How quick a model was: percentiles, and their course as a chart and as a table. */

import { call } from "./api.js";
import { el } from "./dom.js";
import { count, duration, exactly } from "./format.js";
import { dateTicks, scale, ticks } from "./market_scales.js";
import { svg } from "./market_panels.js";
import { modelPath } from "./model_parts.js";
import { problemNotice } from "./problem.js";

const SPANS = [[1, "Hour"], [24, "Day"], [168, "Week"], [720, "Month"]];
const TALL = 160;
const AXIS = 72; // px on the right for the words
const FOOT = 24;

/** The panel of a model's latency; `look()` asks again. */
export function latencyPanel(model) {
  let hours = 24;
  const place = el("div", { class: "stack slot" });
  const look = async () => {
    try {
      const { body } = await call(`${modelPath(model.id)}/latency?hours=${hours}`);
      place.replaceChildren(...latencyView(body));
    } catch (error) {
      place.replaceChildren(problemNotice(error));
    }
  };
  const choose = (next) => {
    hours = next;
    look();
  };
  const spans = el(
    "fieldset",
    { class: "segments end" },
    el("legend", { class: "unseen" }, "Over the last"),
    SPANS.map(([value, words]) => el("label", {}, el("input", { type: "radio", name: "span", value, checked: value === hours, on: { change: () => choose(value) } }), el("span", {}, words))),
  );
  const node = el("section", { class: "panel stack", "aria-labelledby": "latency-title", id: "latency" }, el("div", { class: "heading" }, el("h2", { id: "latency-title" }, "Latency"), spans), place);
  look();
  return { node, look };
}

function latencyView({ predictions, cached, failed, p50_ms: p50, p95_ms: p95, p99_ms: p99, points }) {
  if (!predictions) return [el("p", { class: "quiet" }, "Nobody has asked it in this time.")];
  const facts = [["median", time(p50)], ["95 of 100 within", time(p95)], ["99 of 100 within", time(p99)], ["predictions", count(predictions)], ["cached", count(cached)], ["failed", count(failed)]];
  const measured = points.filter((point) => point.p50_ms !== null);
  return [
    el("dl", { class: "counts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", { class: "number" }, value)))),
    measured.length > 1 ? chart(measured) : null,
    points.length ? numbers(points) : null,
  ].filter(Boolean);
}

const time = (milliseconds) => (milliseconds === null ? "–" : duration(milliseconds));

function chart(points) {
  const stage = el("div", { class: "latency-stage" });
  const caption = el("figcaption", { class: "hint" }, el("span", { class: "key p50" }, "median"), el("span", { class: "key p95" }, "95 of 100 within"));
  new ResizeObserver(([{ contentRect }]) => contentRect.width > 160 && stage.replaceChildren(drawn(points, Math.floor(contentRect.width)))).observe(stage);
  return el("figure", { class: "latency-chart" }, stage, caption);
}

function drawn(points, width) {
  const moments = points.map(({ begins }) => Date.parse(begins));
  const highest = Math.max(...points.map(({ p95_ms: p95 }) => p95));
  const x = scale(moments[0], moments.at(-1), 4, width - AXIS);
  const y = scale(0, highest, TALL - 4, 12);
  const path = (name) => points.map((point, place) => `${place ? "L" : "M"}${x(moments[place]).toFixed(1)} ${y(point[name]).toFixed(1)}`).join("");
  const rules = ticks(0, highest, 3).flatMap(({ value, words }) => [
    svg("path", { class: "grid", d: `M0 ${y(value).toFixed(1)}H${width - AXIS}` }),
    svg("text", { x: width - AXIS + 8, y: y(value) + 4 }, value === 0 ? "0" : value < 1000 ? `${words} ms` : duration(value)),
  ]);
  const local = points.map(({ begins }) => localTime(new Date(begins)));
  const dates = dateTicks(local, 0, Math.floor((width - AXIS) / 96))
    .filter(({ place }) => x(moments[place]) > 16 && x(moments[place]) < width - AXIS - 16)
    .map(({ place, words }) => svg("text", { class: "middle", x: x(moments[place]), y: TALL + FOOT - 8 }, words));
  const dots = points.map((point, place) => svg("circle", { class: "p50", cx: x(moments[place]), cy: y(point.p50_ms), r: 2 }));
  return svg("svg", { width, height: TALL + FOOT, "aria-hidden": "true" }, rules, svg("path", { class: "p95", d: path("p95_ms") }), svg("path", { class: "p50", d: path("p50_ms") }), dots, dates);
}

/** ISO 8601 in the local zone, for words of an axis. */
const localTime = (moment) => new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

function numbers(points) {
  const heads = ["From", "Predictions", "Median", "95 of 100 within"];
  const row = ({ begins, predictions, p50_ms: p50, p95_ms: p95 }) =>
    el("tr", {}, el("th", { scope: "row" }, exactly(new Date(begins))), [count(predictions), time(p50), time(p95)].map((words) => el("td", { class: "number end" }, words)));
  return el(
    "details",
    { class: "otherwise" },
    el("summary", {}, "As a table"),
    el(
      "div",
      { class: "market-rows", tabindex: "0", role: "region", "aria-label": "Latency as a table" },
      el("table", {}, el("thead", {}, el("tr", {}, heads.map((head, place) => el("th", { scope: "col", class: place ? "end" : null }, head)))), el("tbody", {}, points.toReversed().map(row))),
    ),
  );
}
