/** The panels of a market's chart as SVG: prices, volume, RSI, MACD. A few paths each, however many the points are. */

import { dateTicks, extent, scale, ticks } from "./market_scales.js";

const SVG = "http://www.w3.org/2000/svg";
const AXIS = { wide: 64, narrow: 56 }; // px on the right for the words of the axes
const NARROW = 560;
const FOOT = 24; // px below for the dates
const GAP = 16;
const HEAD = 20; // px of a panel for its title
const NEAR = 0.3; // share of the prices' spread by which a stop or target may lie outside and still be drawn

/** An element of SVG; attributes as in `el`. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children.flat().filter((child) => child !== null));
  return node;
}

/**
 * All panels of the points from `start` on.
 * @param {object} result of a symbol, with its series
 * @param {{start: number, width: number, candles: boolean, shown: Set<string>}} view
 * @returns {{node: SVGElement, x: (place: number) => number, step: number, height: number, plot: number}}
 */
export function panels(result, { start, width, candles, shown }) {
  const { series } = result;
  const plot = width - (width < NARROW ? AXIS.narrow : AXIS.wide);
  const step = plot / (series.close.length - start);
  const x = (place) => (place - start + 0.5) * step;
  const at = { series, start, plot, step, x, width };
  const tall = width < NARROW ? 208 : 296;
  const parts = [prices(at, 0, tall, result, candles, shown)];
  let top = tall + GAP;
  if (series.volume) {
    parts.push(volumes(at, top, 72));
    top += 72 + GAP;
  }
  parts.push(strength(at, top, 96, titleOf(result, "rsi", "RSI")));
  top += 96 + GAP;
  parts.push(macd(at, top, 96, titleOf(result, "macd", "MACD")));
  top += 96;
  const height = top + FOOT;
  const dates = dateTicks(series.date, start, Math.floor(plot / 80)).filter(({ place }) => x(place) > 16 && x(place) < plot - 24);
  const grid = dates.map(({ place }) => svg("path", { class: "grid", d: `M${px(x(place))} 0V${top}` }));
  const words = dates.map(({ place, words: name }) => svg("text", { class: "tick middle", x: px(x(place)), y: height - 8 }, name));
  const node = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, grid, parts, words);
  return { node, x, step, height: top, plot };
}

function titleOf({ indicators }, key, name) {
  const found = indicators.find(({ indicator }) => indicator === key);
  return found ? `${name} ${Object.values(found.parameters).join(", ")}` : name;
}

const px = (value) => Math.round(value * 10) / 10;

/** A line through the points; where there is no value it is broken. */
function line({ series, start, x }, name, y) {
  let [d, down] = ["", false];
  for (let place = start; place < series[name].length; place++) {
    const value = series[name][place];
    if (value !== null) d += `${down ? "L" : "M"}${px(x(place))} ${px(y(value))}`;
    down = value !== null;
  }
  return svg("path", { class: `line ${name.replaceAll("_", "-")}`, d });
}

/** Rules across a panel with their words on the right. */
function rules({ plot }, marks, y, look = "grid") {
  return marks.flatMap(({ value, words }) => [
    svg("path", { class: look, d: `M0 ${px(y(value))}H${plot}` }),
    svg("text", { class: "tick", x: plot + 8, y: px(y(value)) + 4 }, words),
  ]);
}

const titled = (top, words) => svg("text", { class: "title", x: 0, y: top + 12 }, words);

function prices(at, top, tall, { trade }, candles, shown) {
  const { series, start } = at;
  const lines = ["ema_fast", "ema_slow", "bollinger_upper", "bollinger_lower"].filter((name) => shown.has(name.split("_")[0]));
  let [low, high] = extent([series.low, series.high, ...lines.map((name) => series[name])], start);
  const spread = high - low;
  const levels = trade && shown.has("trade") ? ["target", "entry", "stop"].map((name) => ({ name, value: trade[name] })) : [];
  const drawn = levels.filter(({ value }) => value > low - NEAR * spread && value < high + NEAR * spread);
  for (const { value } of drawn) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const y = scale(low, high, top + tall - 8, top + 8);
  const taken = drawn.map(({ value }) => y(value));
  const marks = ticks(low, high, Math.floor(tall / 40)).filter(({ value }) => taken.every((other) => Math.abs(other - y(value)) > 12));
  return svg(
    "g",
    {},
    rules(at, marks, y),
    shown.has("bollinger") ? [band(at, y), ...["upper", "middle", "lower"].map((name) => line(at, `bollinger_${name}`, y))] : [],
    candles ? candlesticks(at, y) : line(at, "close", y),
    shown.has("ema") ? [line(at, "ema_slow", y), line(at, "ema_fast", y)] : [],
    shown.has("psar") ? dots(at, y) : [],
    apart(drawn, y).map(({ name, value, label }) => [
      svg("path", { class: `level ${name}`, d: `M0 ${px(y(value))}H${at.plot}` }),
      svg("text", { class: `tick level ${name}`, x: at.plot + 8, y: px(label) + 4 }, name),
    ]).flat(),
  );
}

/** Where the levels' words stand, so that they do not lie on each other. */
function apart(levels, y) {
  const sorted = levels.map((level) => ({ ...level, label: y(level.value) })).sort((a, b) => a.label - b.label);
  for (let place = 1; place < sorted.length; place++) sorted[place].label = Math.max(sorted[place].label, sorted[place - 1].label + 14);
  return sorted;
}

function band({ series, start, x }, y) {
  let [above, below] = ["", ""];
  for (let place = start; place < series.close.length; place++) {
    if (series.bollinger_upper[place] === null) continue;
    above += `${above ? "L" : "M"}${px(x(place))} ${px(y(series.bollinger_upper[place]))}`;
    below = `L${px(x(place))} ${px(y(series.bollinger_lower[place]))}${below}`;
  }
  return svg("path", { class: "band", d: above ? `${above}${below}Z` : "" });
}

/** Rising ones hollow, falling ones filled, so that colour is not all that tells them apart. */
function candlesticks({ series, start, x, step }, y) {
  const half = Math.min(6, step * 0.35);
  const paths = { up: "", down: "" };
  for (let place = start; place < series.close.length; place++) {
    const [open, high, low, close] = ["open", "high", "low", "close"].map((name) => y(series[name][place]));
    const rising = series.close[place] >= series.open[place];
    const [upper, lower] = [Math.min(open, close), Math.max(open, close)];
    const middle = px(x(place));
    paths[rising ? "up" : "down"] +=
      half < 1
        ? `M${middle} ${px(high)}V${px(Math.max(low, high + 1))}`
        : `M${middle} ${px(high)}V${px(upper)}M${middle} ${px(lower)}V${px(low)}` +
          `M${px(middle - half)} ${px(upper)}h${px(2 * half)}v${px(Math.max(0.5, lower - upper))}h${px(-2 * half)}z`;
  }
  return ["up", "down"].map((way) => svg("path", { class: `candle ${way}`, d: paths[way] }));
}

function dots({ series, start, x }, y) {
  let d = "";
  for (let place = start; place < series.psar.length; place++) {
    if (series.psar[place] !== null) d += `M${px(x(place))} ${px(y(series.psar[place]))}h0`;
  }
  return svg("path", { class: "psar", d });
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

function volumes(at, top, tall) {
  const { series, start, x, step } = at;
  const most = extent([series.volume], start)[1];
  const y = scale(0, most, top + tall, top + HEAD);
  const half = Math.max(0.5, Math.min(6, step * 0.35));
  const paths = { up: "", down: "" };
  for (let place = start; place < series.volume.length; place++) {
    const way = series.close[place] >= series.open[place] ? "up" : "down";
    paths[way] += `M${px(x(place) - half)} ${top + tall}V${px(y(series.volume[place]))}h${px(2 * half)}V${top + tall}z`;
  }
  const marks = [{ value: 0, words: "0" }, { value: most, words: compact.format(most) }];
  return svg("g", {}, rules(at, marks, y), titled(top, "Volume"), ["up", "down"].map((way) => svg("path", { class: `volume ${way}`, d: paths[way] })));
}

function strength(at, top, tall, title) {
  const [low, high] = extent([at.series.rsi], at.start);
  const y = scale(Math.min(20, low), Math.max(80, high), top + tall, top + HEAD);
  const marks = [70, 30].map((value) => ({ value, words: String(value) }));
  return svg("g", {}, rules(at, marks, y, "bound"), titled(top, title), line(at, "rsi", y));
}

function macd(at, top, tall, title) {
  const { series, start, x, step } = at;
  const [low, high] = extent([series.macd, series.macd_signal, series.macd_histogram], start);
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  const y = scale(-most, most, top + tall, top + HEAD);
  const half = Math.max(0.5, Math.min(6, step * 0.35));
  const paths = { up: "", down: "" };
  for (let place = start; place < series.macd_histogram.length; place++) {
    const value = series.macd_histogram[place];
    if (value === null) continue;
    paths[value >= 0 ? "up" : "down"] += `M${px(x(place) - half)} ${px(y(0))}V${px(y(value))}h${px(2 * half)}V${px(y(0))}z`;
  }
  return svg(
    "g",
    {},
    rules(at, [{ value: 0, words: "0" }], y, "bound"),
    titled(top, title),
    ["up", "down"].map((way) => svg("path", { class: `volume ${way}`, d: paths[way] })),
    line(at, "macd_signal", y),
    line(at, "macd", y),
  );
}
