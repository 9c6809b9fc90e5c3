/** Two versions of a model beside each other: what they take and give, how quick they are, and one input asked of both. */

import { announce } from "./announce.js";
import { call } from "./api.js";
import { el, find } from "./dom.js";
import { bytes, count, counted, duration, signed } from "./format.js";
import { answerView } from "./model_answer.js";
import { differences } from "./model_difference.js";
import { modelPath, namePath, shapeWords } from "./model_parts.js";
import { problemNotice } from "./problem.js";

const HOURS = 24;
const digits = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const rounded = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const share = (part, whole) => `${rounded.format((100 * part) / whole)} %`;

/**
 * The panel that compares `model` with another of `versions`, which it is to be chosen from.
 * @param {{typed: () => object | null, asked: Function}} told `typed()` is the request that the page's form has now, null
 * for none; `asked()` is called after a prediction
 */
export function comparePanel(model, versions, told) {
  const others = versions.filter(({ id }) => id !== model.id);
  const place = el("div", { class: "stack slot" });
  const chosen = el("select", { id: "beside" }, el("option", { value: "" }, "no other"), others.map(({ id, version, status }) => el("option", { value: id }, status === "ready" ? version : `${version} (${status})`)));
  const show = async () => {
    const id = chosen.value;
    if (!id) return place.replaceChildren();
    try {
      const [{ body: other }, { body: latency }] = await Promise.all([call(modelPath(id)), call(`${namePath(model.name)}/latency?hours=${HOURS}`)]);
      if (chosen.value !== id) return; // another one was chosen meanwhile
      place.replaceChildren(comparison(model, other, latency.versions), tryBoth(model, other, told));
    } catch (error) {
      place.replaceChildren(problemNotice(error));
    }
  };
  chosen.addEventListener("change", show);
  return el(
    "section",
    { class: "panel stack", "aria-labelledby": "compare-title" },
    el("div", { class: "heading" }, el("h2", { id: "compare-title" }, "Compare versions"), el("label", { class: "row end", for: "beside" }, `${model.version} with`, chosen)),
    place,
  );
}

function comparison(model, other, latencies) {
  const traffic = latencies.reduce((sum, { predictions }) => sum + predictions, 0);
  const [one, two] = [model, other].map((each) => factsOf(each, latencies.find(({ model_id: id }) => id === each.id), traffic));
  const rows = [...new Set([...Object.keys(one), ...Object.keys(two)])].map((name) => factRow(name, one[name], two[name]));
  const heads = ["", model.version, other.version, "Difference"];
  return el(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": `${model.version} and ${other.version} compared` },
    el("table", { class: "compared" }, el("thead", {}, el("tr", {}, heads.map((head) => (head ? el("th", { scope: "col" }, head) : el("td", {}))))), el("tbody", {}, rows)),
  );
}

/** What is compared, by name: `words` for people; `value`, where it is a number that may grow; `points`, where it is in percent. */
function factsOf(model, latency, traffic) {
  const { producer_name: producer, producer_version: of, opsets = {}, parameters, memory_bytes: memory, operators = {} } = model.found ?? {};
  const specs = (way, list) => Object.fromEntries((list ?? []).map((spec) => [`${way} ${spec.name}`, { words: `${spec.dtype}, ${shapeWords(spec)}` }]));
  const sized = (value, words) => (typeof value === "number" ? { words: words(value), value } : { words: "–" });
  return {
    Status: { words: model.status },
    ...specs("Takes", model.input_schema),
    ...specs("Gives", model.output_schema),
    File: sized(model.file_size_bytes, bytes),
    Parameters: sized(parameters, count),
    "In memory": sized(memory, bytes),
    Operators: { words: Object.entries(operators).map(([name, number]) => (number === 1 ? name : `${count(number)} ${name}`)).join(", ") || "–" },
    Opset: { words: Object.entries(opsets).map(([name, version]) => `${name} ${version}`).join(", ") || "–" },
    "Made by": { words: [producer, of].filter(Boolean).join(" ") || "–" },
    ...(latency ? measured(latency, traffic) : {}),
  };
}

function measured({ predictions, cached, failed, p50_ms: p50, p95_ms: p95, p99_ms: p99 }, traffic) {
  const part = (number) => (predictions ? { words: share(number, predictions), points: (100 * number) / predictions } : { words: "–" });
  const time = (value) => (value === null ? { words: "–" } : { words: duration(value), value });
  return {
    [`Asked in ${HOURS} hours`]: { words: predictions ? `${count(predictions)} (${share(predictions, traffic)} of all)` : "never", value: predictions },
    "Out of the cache": part(cached),
    Failed: part(failed),
    Median: time(p50),
    "95 of 100 within": time(p95),
    "99 of 100 within": time(p99),
  };
}

function factRow(name, one, two) {
  const differs = one?.words !== two?.words;
  return el(
    "tr",
    { "data-fact": name },
    el("th", { scope: "row" }, name),
    [one, two].map((each) => el("td", { class: "number wrap" }, each?.words ?? "–")),
    el("td", { class: differs ? "number" : "number quiet" }, differenceWords(one, two, differs)),
  );
}

function differenceWords(one, two, differs) {
  if (!one || !two) return el("b", {}, one ? "only the first has it" : "only the second has it");
  if (!differs) return "none";
  if (one.value > 0 && two.value > 0) return two.value > one.value ? `× ${rounded.format(two.value / one.value)}` : `÷ ${rounded.format(one.value / two.value)}`;
  if (one.points !== undefined && two.points !== undefined) return `${signed(two.points - one.points, 1)} points`;
  return one.words === "–" || two.words === "–" ? "–" : el("b", {}, "differs");
}

function tryBoth(model, other, { typed, asked }) {
  const outcome = el("div", { class: "stack slot", id: "both" });
  const both = [model, other];
  if (!both.every(({ status }) => status === "ready")) return el("p", { class: "hint" }, "Both can be asked when both are ready.");
  const button = el("button", { type: "button", class: "button", id: "ask-both" }, "Ask both");
  button.addEventListener("click", async () => {
    const request = typed();
    if (!request) return find("#ask-it").click(); // the form says what is missing
    button.disabled = true;
    try {
      outcome.replaceChildren(...bothView(both, await Promise.all(both.map(({ id }) => answerOf(id, request)))));
    } finally {
      button.disabled = false;
    }
    asked();
  });
  return el("div", { class: "stack" }, el("div", { class: "row" }, button, el("span", { class: "hint" }, "with what the form at the top of the page has now")), outcome);
}

/** What a version answers: the answer, or the problem. */
async function answerOf(id, { type, text, body, query = "" }) {
  try {
    return (await call(`${modelPath(id)}/predict${query}`, { method: "POST", body: text ?? body, headers: type ? { "Content-Type": type } : {} })).body;
  } catch (problem) {
    return { problem };
  }
}

function bothView(models, answers) {
  const views = answers.map((answer, place) => {
    if (!answer.problem) return answerView(answer, { id: null });
    return el("div", { class: "panel stack tight" }, el("h2", {}, models[place].version), problemNotice(answer.problem));
  });
  const side = el("div", { class: "both" }, views);
  if (answers.some(({ problem }) => problem)) {
    announce("Not both of them answered");
    return [side];
  }
  const found = differences(...answers).map(words);
  announce(found.map(([name, told]) => `${name} ${told}`).join("; "));
  return [el("ul", { class: "stack tight", id: "differences" }, found.map(([name, told]) => el("li", {}, el("code", {}, name), ` ${told}`))), side];
}

/** An output's name, and how far the two are apart in it. */
function words({ name, missing, alike, numeric, values, apart, largest, place, pair }) {
  if (missing) return [name, "is given by one of them only"];
  if (!alike) return [name, "has other lengths in the one than in the other"];
  if (!apart) return [name, "is the same, to the last digit"];
  const at = place.length ? ` at ${place.map((index) => `[${index}]`).join("")}` : "";
  const both = pair.map((one) => (typeof one === "number" ? digits.format(one) : JSON.stringify(one))).join(" and ");
  if (numeric) return [name, `differs by ${digits.format(largest)} at most: ${both}${at}`];
  return [name, `differs in ${count(apart)} of ${counted(values, "value")}: ${both}${at}`];
}
