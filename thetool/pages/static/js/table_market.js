/** Prices that were judged: a verdict for each symbol, the votes that led to it, and a chart. */

import { el } from "./dom.js";
import { count } from "./format.js";
import { marketChart } from "./market_chart.js";

const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const number = (value) => (value === null || value === undefined ? "–" : digits.format(value));
const day = (moment) => moment.slice(0, 10);

/** The symbols of `market`, one after the other; the first is open. */
export function marketView({ symbols, strategy, left_out: left, notes, disclaimer }) {
  return [
    el("p", { class: "hint" }, `${strategy.title}. ${disclaimer}`),
    ...symbols.map((one, place) => symbolView(one, symbols.length === 1, place === 0)),
    notes.length ? el("ul", { class: "notes" }, notes.map(({ message }) => el("li", { class: "wrap" }, message))) : null,
    left.length ? el("ul", { class: "notes" }, left.map(({ symbol, reason }) => el("li", { class: "wrap" }, el("b", {}, symbol ?? "Prices"), ` ${reason}`))) : null,
  ];
}

function symbolView(one, alone, open) {
  const body = [facts(one), marketChart(one), votes(one), one.notes.length ? el("ul", { class: "notes" }, one.notes.map(({ message }) => el("li", { class: "wrap" }, message))) : null];
  if (alone) return el("div", { class: "stack" }, el("p", { class: "verdict" }, verdict(one)), ...body);
  return el("details", { class: "symbol", open }, el("summary", {}, el("b", { class: "wrap" }, one.symbol ?? "Prices"), " ", verdict(one)), el("div", { class: "stack" }, ...body));
}

function verdict({ verdict: word, score }) {
  const tone = word.includes("buy") ? "positive" : word.includes("sell") ? "negative" : "neutral";
  return el("span", { class: `value number tone-${tone}` }, el("b", {}, word), score === null ? null : ` ${score > 0 ? "+" : ""}${score.toFixed(2)}`);
}

function facts({ rows, first, last, interval, last_close: close, change_percent: change, regime, trade }) {
  const pairs = [
    ["last close", number(close)],
    ["change", change === null ? null : `${change > 0 ? "+" : ""}${change.toFixed(2)} %`],
    ["regime", regime],
    ["entry", trade && number(trade.entry)],
    ["stop", trade && number(trade.stop)],
    ["target", trade && number(trade.target)],
    ["units", trade && number(trade.units)],
    ["at risk", trade && number(trade.money_at_risk)],
    ["rows", count(rows)],
    ["from", day(first)],
    ["to", day(last)],
    ["apart", interval],
  ].filter(([, value]) => value);
  return el("dl", { class: "counts" }, pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", { class: "number" }, value))));
}

function votes({ indicators }) {
  const row = ({ title, vote, confidence, reason }) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, title),
      el("td", { class: vote === "buy" ? "tone-positive" : vote === "sell" ? "tone-negative" : "quiet" }, vote ?? "–"),
      el("td", { class: "number end" }, vote ? confidence.toFixed(2) : "–"),
      el("td", { class: "quiet why" }, reason),
    );
  const names = [["indicator"], ["vote"], ["confidence", "end"], ["why"]];
  return el(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": "Indicators" },
    el(
      "table",
      { class: "sheet votes" },
      el("thead", {}, el("tr", {}, names.map(([name, look]) => el("th", { scope: "col", class: look }, name)))),
      el("tbody", {}, indicators.map(row)),
    ),
  );
}
