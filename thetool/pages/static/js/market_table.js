/** The points of a market's chart as a table, for who reads rather than looks; built when it is opened. */

import { el } from "./dom.js";
import { count } from "./format.js";

const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const COLUMNS = [
  ["date", "Date"],
  ["open", "Open"],
  ["high", "High"],
  ["low", "Low"],
  ["close", "Close"],
  ["volume", "Volume"],
  ["ema_fast", "EMA fast"],
  ["ema_slow", "EMA slow"],
  ["bollinger_lower", "Lower band"],
  ["bollinger_upper", "Upper band"],
  ["psar", "SAR"],
  ["rsi", "RSI"],
  ["macd", "MACD"],
  ["macd_signal", "Signal"],
];

/** Newest first. */
export function marketTable({ series, symbol }) {
  const holder = el("div", { class: "table-scroll market-rows", tabindex: "0", role: "region", "aria-label": `The points of the chart${symbol ? ` of ${symbol}` : ""}` });
  const node = el("details", { class: "market-numbers" }, el("summary", {}, `The ${count(series.date.length)} points as a table`), holder);
  node.addEventListener("toggle", () => node.open && !holder.children.length && holder.append(table(series)));
  return node;
}

function table(series) {
  const columns = COLUMNS.filter(([name]) => series[name]);
  const cell = (name, place) => {
    const value = series[name][place];
    if (name === "date") return el("th", { scope: "row" }, value.replace("T", " "));
    return el("td", { class: "number end" }, value === null ? "–" : digits.format(value));
  };
  const rows = [];
  for (let place = series.date.length - 1; place >= 0; place--) rows.push(el("tr", {}, columns.map(([name]) => cell(name, place))));
  return el(
    "table",
    {},
    el("thead", {}, el("tr", {}, columns.map(([name, words]) => el("th", { scope: "col", class: name === "date" ? null : "end" }, words)))),
    el("tbody", {}, rows),
  );
}
