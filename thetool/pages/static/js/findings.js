/** How each part of an analysis is shown; those of a text are here. A part that is not known is shown as JSON. */

import { el } from "./dom.js";
import { count, counted, percent, signed } from "./format.js";
import { jsonView } from "./json_view.js";
import { PHOTO_PARTS } from "./photo_findings.js";

const MOST_SENTENCES = 400;
const COUNTS = [
  "words",
  "unique_words",
  "sentences",
  "paragraphs",
  "lines",
  "characters",
  "characters_without_blanks",
  "reading_time_seconds",
];
const WORDS = {
  unique_words: "different words",
  characters_without_blanks: "without blanks",
  reading_time_seconds: "reading time",
  average_word_length: "characters a word",
  average_sentence_length: "words a sentence",
};
const LONGEST_TEXT = 20_000;
const FEW_TOPICS = 6; // so many are all shown
const NEAR_TOPICS = 3; // else so many of those that do not apply

/**
 * The parts of `result`, those that are known first; `text` is what was analysed, or null where it is not here. A
 * photo's parts are others: its `text` is what can be read in it.
 */
export function findings(result, text, { photo = false } = {}) {
  const known = photo ? PHOTO_PARTS : TEXT_PARTS;
  const names = [...new Set([...Object.keys(known), ...Object.keys(result)])];
  return names.filter((name) => (result[name] ?? null) !== null).map((name) => finding(known, name, result[name], text));
}

function finding(known, name, value, text) {
  const [title, draw] = known[name] ?? [name, (part) => ({ body: [jsonView(name, part)] })];
  const { head = null, body } = draw(value, text);
  return el(
    "section",
    { class: "finding", "aria-label": title, "data-finding": name },
    el("div", { class: "finding-head" }, el("h2", {}, title), head),
    body,
  );
}

const TEXT_PARTS = {
  sentiment: ["Sentiment", sentiment],
  language: ["Language", language],
  topics: ["Topics", topics],
  statistics: ["Statistics", statistics],
};

function sentiment({ compound, label, sentences }, text) {
  const scale = ["negative", "neutral", "positive"].map((word) => el("span", {}, word));
  return {
    head: el("span", { class: `value number tone-${label}` }, el("b", {}, label), ` ${signed(compound)}`),
    body: [
      balance(compound, label),
      el("div", { class: "scale", "aria-hidden": "true" }, scale),
      sentences?.length ? coloured(sentences, text) : null,
    ],
  };
}

function balance(compound, label) {
  return el(
    "div",
    {
      class: "balance",
      "data-tone": label,
      role: "meter",
      "aria-label": "Compound score",
      "aria-valuemin": -1,
      "aria-valuemax": 1,
      "aria-valuenow": compound,
      "aria-valuetext": `${signed(compound)}, ${label}`,
      vars: { value: compound },
    },
    el("span"),
  );
}

/** The text with each sentence in the colour of its sentiment; the score is in the title and for screen readers. */
function coloured(sentences, text) {
  const points = text === null || text.length > LONGEST_TEXT ? null : [...text];
  const shown = sentences.slice(0, MOST_SENTENCES);
  const pieces = shown.flatMap(({ text: words, start, end, compound, label }, number) => {
    const next = shown[number + 1];
    const gap = !next ? "" : between(points, end, next.start);
    const mark = el(
      "span",
      { class: "sentence", "data-tone": label, title: `${label} ${signed(compound)}`, "data-start": start },
      words,
      el("span", { class: "unseen" }, ` (${label} ${signed(compound)})`),
    );
    return [mark, gap];
  });
  const left = sentences.length - shown.length;
  return el(
    "div",
    { class: "stack tight" },
    el("p", { class: "sentences wrap", tabindex: "0", "aria-label": "Text coloured by sentence" }, pieces),
    left ? el("p", { class: "hint" }, `${counted(left, "sentence")} more in the JSON.`) : null,
  );
}

/** The blanks between two sentences; one blank where the text is not known, or is another one by now. */
function between(points, end, start) {
  const gap = points?.slice(end, start).join("") ?? "";
  return /^\s+$/.test(gap) ? gap : " ";
}

function language({ code, name, score, unsure, reason, shares }) {
  const mixed = isMixed({ code, unsure, shares });
  const others = byValue(shares ?? {}).filter((other) => mixed || other !== code);
  return {
    head: el(
      "span",
      { class: "value" },
      el("b", {}, languageName({ code, name, unsure, shares })),
      code && !mixed ? el("span", { class: "quiet" }, ` ${code} · score ${score.toFixed(2)}`) : null,
    ),
    body: [
      unsure ? el("p", { class: "hint" }, el("span", { class: "tag" }, "unsure"), reason ? ` ${reason}` : null) : null,
      others.length
        ? el(
            "p",
            { class: "hint" },
            `${mixed ? "" : "Also "}${others.map((other) => `${nameOf(other)} ${percent(shares[other])}`).join(", ")}`,
          )
        : null,
    ],
  };
}

const languages = new Intl.DisplayNames(["en"], { type: "language" });
const nameOf = (code) => languages.of(code) ?? code;

const MOSTLY = 0.6; // a text of whose letters fewer are in one language is in several, as the service has it
const isMixed = ({ code, unsure, shares }) => Boolean(unsure && code && (shares?.[code] ?? 1) < MOSTLY && Object.keys(shares).length > 1);

/** What a text's language is called; one that is a guess is called one. */
export function languageName({ code, name, unsure, shares }) {
  if (!code) return "Unknown";
  if (isMixed({ code, unsure, shares })) return "Several languages";
  return unsure ? `Perhaps ${name ?? code}` : (name ?? code);
}

function topics({ topics: applying, scores, cutoff }) {
  const apply = new Set(applying.map(({ label }) => label));
  const order = byValue(scores ?? {});
  const near = order
    .filter((label) => !apply.has(label))
    .slice(0, order.length <= FEW_TOPICS ? FEW_TOPICS : NEAR_TOPICS);
  const rows = [...apply, ...near].flatMap((label) => bar(label, scores[label], apply.has(label)));
  const head = apply.size ? `${apply.size} above the cut-off of ${cutoff}` : `none above the cut-off of ${cutoff}`;
  return {
    head: el("span", { class: "value quiet number" }, head),
    body: [el("dl", { class: "bars", vars: { cutoff } }, rows)],
  };
}

/** A topic's similarity; one that does not apply is grey. */
function bar(label, score, applies) {
  const look = applies ? null : "below";
  return [
    el("dt", { class: look }, label),
    el(
      "dd",
      { class: `track ${look ?? ""}`, "aria-hidden": "true" },
      el("span", { vars: { part: Math.max(0, score) } }),
    ),
    el("dd", { class: `number ${look ?? ""}` }, score.toFixed(2)),
  ];
}

function statistics(value) {
  const rest = Object.keys(value).filter((name) => !COUNTS.includes(name) && typeof value[name] === "number");
  const names = [...COUNTS.filter((name) => name in value), ...rest];
  const cells = names.map((name) =>
    el(
      "div",
      {},
      el("dt", {}, WORDS[name] ?? name.replaceAll("_", " ")),
      el("dd", { class: "number" }, told(name, value[name])),
    ),
  );
  return { body: [el("dl", { class: "counts" }, cells)] };
}

function told(name, number) {
  if (name !== "reading_time_seconds") return count(number);
  return number < 60 ? `${Math.round(number)} s` : `${Math.round(number / 60)} min`;
}

/** The names of an object of numbers, largest first (Postgres keeps no order of names). */
const byValue = (numbers) => Object.keys(numbers).sort((one, other) => numbers[other] - numbers[one]);
