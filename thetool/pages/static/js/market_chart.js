/** A symbol's prices with their indicators, drawn; gone through by the pointer or the arrow keys; also as a table. */

import { el, findAll, say } from "./dom.js";
import { count } from "./format.js";
import { panels, svg } from "./market_panels.js";
import { marketTable } from "./market_table.js";

const SPANS = [60, 250];
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity };
const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const rounded = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });
const number = (value) => (value === null ? "–" : digits.format(value));
const about = (value) => (value === null ? "–" : rounded.format(value));
let charts = 0; // for names that no two charts share

/**
 * The chart of one symbol of a market's result.
 * @param {object} result one of `market.symbols`
 * @returns {HTMLElement | null} null where the result has no series
 */
export function marketChart(result) {
  const { series } = result;
  if (!series || !series.close.length) return null;
  const all = series.close.length;
  const spans = [...SPANS.filter((span) => span < all * 0.8), all];
  const view = { span: spans.find((span) => span >= 250) ?? all, candles: true, shown: new Set(["ema", "bollinger", "trade"]), place: all - 1 };
  const stage = el("div", { class: "market-stage", role: "slider", tabindex: "0", "aria-label": labelOf(result), "aria-valuemin": 1 });
  const told = el("dl", { class: "market-told number" });
  const chart = new Chart(result, view, stage, told);
  const choices = el(
    "div",
    { class: "market-choices" },
    spans.length === 1 ? null : segments("Span", spans.map((span) => [span, span === all ? "All" : `Last ${span}`]), view.span, (span) => chart.show({ span: Number(span) })),
    segments("Prices as", [["candles", "Candles"], ["line", "Line"]], "candles", (form) => chart.show({ candles: form === "candles" })),
    switches(result, view.shown, () => chart.draw()),
  );
  return el("figure", { class: "market-chart" }, choices, told, stage, hint(result), marketTable(result));
}

function labelOf({ symbol, first, last }) {
  return `Prices${symbol ? ` of ${symbol}` : ""} from ${first.slice(0, 10)} to ${last.slice(0, 10)}; the arrow keys go from point to point`;
}

function hint({ series }) {
  const each = series.rows_per_point;
  const joined = each > 1 ? ` Each point is ${count(each)} rows: first open, highest high, lowest low, last close, all volume.` : "";
  return el("figcaption", { class: "hint" }, `Point at the chart, or go through it with the arrow keys, for the values of a point.${joined}`);
}

function segments(name, options, chosen, change) {
  const group = `market-${++charts}`;
  return el(
    "fieldset",
    { class: "segments" },
    el("legend", { class: "unseen" }, name),
    options.map(([value, words]) =>
      el("label", {}, el("input", { type: "radio", name: group, value, checked: value === chosen, on: { change: () => change(value) } }), el("span", {}, words)),
    ),
  );
}

function switches({ trade }, shown, draw) {
  const options = [["ema", "EMA"], ["bollinger", "Bollinger"], ["psar", "SAR"], trade ? ["trade", "Trade"] : null].filter(Boolean);
  const toggle = (name, on) => {
    if (on) shown.add(name);
    else shown.delete(name);
    draw();
  };
  return el(
    "fieldset",
    { class: "segments" },
    el("legend", { class: "unseen" }, "Drawn over the prices"),
    options.map(([name, words]) =>
      el("label", {}, el("input", { type: "checkbox", value: name, checked: shown.has(name), on: { change: ({ target }) => toggle(name, target.checked) } }), el("span", {}, words)),
    ),
  );
}

class Chart {
  constructor(result, view, stage, told) {
    Object.assign(this, { result, view, stage, told, drawn: null });
    const { date } = result.series;
    stage.setAttribute("aria-valuemax", date.length);
    stage.addEventListener("pointermove", (event) => this.point(event));
    stage.addEventListener("pointerdown", (event) => this.point(event));
    stage.addEventListener("pointerleave", () => !stage.matches(":focus-visible") && this.go(date.length - 1, false));
    stage.addEventListener("focus", () => stage.matches(":focus-visible") && this.go(this.view.place, true));
    stage.addEventListener("blur", () => this.go(date.length - 1, false));
    stage.addEventListener("keydown", (event) => this.press(event));
    new ResizeObserver(([{ contentRect }]) => contentRect.width && contentRect.width !== this.drawn?.width && this.draw()).observe(stage);
    this.go(view.place, false);
  }

  get start() {
    return this.result.series.close.length - this.view.span;
  }

  show(change) {
    Object.assign(this.view, change);
    this.draw();
  }

  draw() {
    const width = Math.floor(this.stage.clientWidth);
    if (width < 160) return;
    this.drawn = { width, ...panels(this.result, { ...this.view, start: this.start, width }) };
    this.cross = svg("g", { class: "cross" });
    this.drawn.node.append(this.cross);
    this.stage.replaceChildren(this.drawn.node);
    this.go(Math.max(this.start, this.view.place), false);
  }

  point({ clientX }) {
    if (!this.drawn) return;
    const offset = clientX - this.stage.getBoundingClientRect().left;
    this.go(this.start + Math.floor(offset / this.drawn.step), true);
  }

  press(event) {
    const step = STEPS[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.go(this.view.place + step, true);
  }

  /** Look at a point; `crossed` draws the lines through it. */
  go(place, crossed) {
    const { series } = this.result;
    this.view.place = Math.min(series.close.length - 1, Math.max(this.start, place));
    const values = valuesAt(this.result, this.view.place);
    this.stage.setAttribute("aria-valuemin", this.start + 1);
    this.stage.setAttribute("aria-valuenow", this.view.place + 1);
    this.stage.setAttribute("aria-valuetext", values.map(([name, words]) => `${name} ${words}`).join(", "));
    tell(this.told, values);
    this.cross?.replaceChildren(...(crossed ? this.lines() : []));
  }

  lines() {
    const x = this.drawn.x(this.view.place);
    return [svg("path", { d: `M${x} 0V${this.drawn.height}` })];
  }
}

/** What there is to tell of a point: name, words, and the class of its line. */
function valuesAt({ series, indicators }, place) {
  const at = (name) => series[name]?.[place] ?? null;
  const rows = Object.fromEntries(indicators.map(({ indicator, parameters }) => [indicator, parameters]));
  return [
    ["date", series.date[place].replace("T", " "), null],
    ...["open", "high", "low", "close"].map((name) => [name, number(at(name)), null]),
    series.volume ? ["volume", compact.format(at("volume")), null] : null,
    [`EMA ${rows.ema?.fast ?? "fast"}`, about(at("ema_fast")), "ema-fast"],
    [`EMA ${rows.ema?.slow ?? "slow"}`, about(at("ema_slow")), "ema-slow"],
    ["bands", at("bollinger_upper") === null ? "–" : `${about(at("bollinger_lower"))} to ${about(at("bollinger_upper"))}`, "bollinger"],
    ["RSI", at("rsi") === null ? "–" : at("rsi").toFixed(1), "rsi"],
    ["MACD", about(at("macd")), "macd"],
    ["signal", about(at("macd_signal")), "macd-signal"],
  ].filter(Boolean);
}

/** Say the values where they are shown, without building the list anew at each move of the pointer. */
function tell(list, values) {
  if (list.children.length !== values.length) {
    list.replaceChildren(...values.map(([name, , look]) => el("div", {}, el("dt", { class: look && `key ${look}` }, name), el("dd", {}))));
  }
  findAll("dd", list).forEach((node, place) => say(node, values[place][1]));
}
