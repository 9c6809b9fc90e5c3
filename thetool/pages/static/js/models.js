/** The list of models, and sending one. Filters and cursor are in the address. */

import "./status_line.js";
import "./times.js";
import { call } from "./api.js";
import { el, find } from "./dom.js";
import { bytes } from "./format.js";
import { address, asked, showPages, wanted } from "./list_address.js";
import { repeat } from "./live.js";
import { aliasTags, modelBadge, specWords } from "./model_parts.js";
import { pushForm } from "./model_push.js";
import { problemNotice } from "./problem.js";
import { time } from "./times.js";

const LIMIT = 100;
const BUSY_SECONDS = 1;
const CALM_SECONDS = 10;

const filters = find("#filters");
let listed = [];
let shown = null; // what the rows show; they are left alone until it changes
let looking = new AbortController();

const listPath = () => `/api/v1/models?${asked(["status", "search", "cursor"], { limit: LIMIT })}`;

async function refresh() {
  try {
    const { body: page } = await call(listPath(), { signal: looking.signal });
    listed = page.items;
    showPage(page);
    find("#trouble").replaceChildren();
    return listed.some(({ status }) => status === "validating") ? BUSY_SECONDS : CALM_SECONDS;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    find("#trouble").replaceChildren(problemNotice(error));
    return CALM_SECONDS;
  }
}

function showPage({ items, next }) {
  const now = JSON.stringify([listPath(), items, next]);
  if (now === shown) return;
  shown = now;
  const focus = document.activeElement?.closest("#rows a")?.getAttribute("href");
  find("#rows").replaceChildren(...byName(items).flatMap((versions) => versions.map(row)));
  if (focus) find(`#rows a[href="${focus}"]`)?.focus();
  find("#rows").removeAttribute("aria-busy");
  const filtered = ["status", "search", "cursor"].some((name) => wanted().get(name));
  find("#table").hidden = !items.length;
  find("#empty").hidden = Boolean(items.length) || filtered;
  find("#empty-filtered").hidden = Boolean(items.length) || !filtered;
  showPages(next);
}

/** The versions of each model together; that with the newest one first. */
function byName(models) {
  const groups = new Map();
  for (const model of models) {
    const key = `${model.owner_id} ${model.name}`;
    groups.set(key, [...(groups.get(key) ?? []), model]);
  }
  return [...groups.values()];
}

function row(model, place) {
  const { id, name, version, description, error_message: error } = model;
  const first = place === 0;
  return el(
    "tr",
    { class: first ? "first" : "more" },
    el("th", { scope: "row" }, first ? el("span", { class: "wrap" }, name) : el("span", { class: "unseen" }, name), first && description ? el("span", { class: "said" }, description) : null),
    named("Version", el("a", { href: `/models/${id}`, "aria-label": `${name} ${version}` }, version), aliasTags(model.aliases)),
    named("Status", modelBadge(model), error ? el("span", { class: "said why", title: error }, error) : null),
    named("Takes", specs(model.input_schema)),
    named("Gives", specs(model.output_schema)),
    named("Size", model.file_size_bytes === null ? "–" : bytes(model.file_size_bytes)),
    named("Sent", time(model.created_at)),
  );
}

/** A cell that names its column itself, on screens where the columns stand below each other. */
const named = (column, ...content) =>
  el("td", { "data-column": column, class: ["Size", "Sent"].includes(column) ? "end number" : null }, el("div", {}, ...content.flat()));

function specs(schema) {
  if (!schema) return el("span", { class: "quiet" }, "–");
  const [first, ...others] = schema;
  const more = others.length ? el("span", { class: "quiet", title: others.map(specWords).join(", ") }, ` and ${others.length} more`) : null;
  return [el("span", { class: "small" }, first ? specWords(first) : "–", more)];
}

function lookAgain() {
  looking.abort();
  looking = new AbortController();
  repeat(refresh, CALM_SECONDS, looking.signal);
}

filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("input", () => {
  history.replaceState(null, "", address({ ...Object.fromEntries(new FormData(filters)), cursor: null }));
  lookAgain();
});
pushForm({ known: () => listed, changed: lookAgain });
lookAgain();
