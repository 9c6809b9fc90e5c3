/**
 * The page of one version of a model: asking it, what it takes and gives, its versions, beside
 * another one, how quick it is, its history.
 */

import "./status_line.js";
import "./times.js";
import { announce } from "./announce.js";
import { call } from "./api.js";
import { confirmed } from "./confirm.js";
import { curl, showRequest } from "./curl.js";
import { el, find, say } from "./dom.js";
import { bytes, count } from "./format.js";
import { repeat } from "./live.js";
import { askingView } from "./model_ask.js";
import { batchPanel } from "./model_batch.js";
import { comparePanel } from "./model_compare.js";
import { historyPanel } from "./model_history.js";
import { latencyPanel } from "./model_latency.js";
import { aliasTags, modelBadge, modelPath, schemaTable } from "./model_parts.js";
import { elsewhere, versionPanels } from "./model_versions.js";
import { problemNotice } from "./problem.js";
import { time } from "./times.js";

const BUSY_SECONDS = 1;
const WRITTEN = 800; // ms after a prediction, it is in the history

const head = find("#head");
const page = find("#model");
const { id, days } = page.dataset;
const path = modelPath(id);
let watching = new AbortController();
let panels = [];
let typed = null; // the request that the form has now
let due = null;

async function load() {
  await attempt(async () => show((await call(path)).body));
}

function showHead(model) {
  say(find("h1", head), model.name);
  document.title = `${model.name} ${model.version} · TheTool`;
  head.replaceChildren(
    find("h1", head),
    el("span", { class: "tag number" }, model.version),
    modelBadge(model),
    ...aliasTags(model.aliases),
    el("div", { class: "end" }, ...buttons(model)),
  );
}

async function show(model) {
  page.removeAttribute("aria-busy");
  showHead(model);
  showRequest(curl(path));
  find("#raw").replaceChildren();
  typed = null;
  find("#ask").replaceChildren(...askingView(model, { typed: (asked) => (typed = asked), asked: measureSoon, changed: show, trouble }));
  panels = model.input_schema ? [latencyPanel(model), historyPanel(model, Number(days))] : [];
  const names = el("div", { class: "stack slot" });
  find("#about").replaceChildren(el("div", { class: "stack" }, schemaPanel(model), panels[0]?.node ?? ""), el("div", { class: "stack" }, names, factsPanel(model)));
  find("#batches").replaceChildren(model.input_schema ? batchPanel(model) : "");
  find("#history").replaceChildren(panels[1]?.node ?? "");
  if (model.status === "validating") watch();
  const versions = await showVersions(model, names);
  const comparable = model.found && versions.length > 1;
  find("#compare").replaceChildren(comparable ? comparePanel(model, versions, { typed: () => typed, asked: measureSoon }) : "");
}

/** Show the model's versions and aliases in `place`; gives its versions. */
async function showVersions(model, place) {
  const moved = async () => {
    const { body: now } = await call(path);
    showHead(now);
    await showVersions(now, place);
    find("#aliases-title", place)?.focus(); // the button that was pressed is gone
  };
  try {
    const { versions, panels: shown } = await versionPanels(model, moved);
    place.replaceChildren(...shown);
    return versions;
  } catch (error) {
    place.replaceChildren(error.status === 404 ? elsewhere() : problemNotice(error));
    return [];
  }
}

/** Look until it is validated. */
function watch() {
  watching.abort();
  watching = new AbortController();
  repeat(
    async () => {
      const { body: model } = await call(path, { signal: watching.signal });
      if (model.status === "validating") return;
      watching.abort();
      announce(`It is ${model.status}`);
      await show(model);
    },
    BUSY_SECONDS,
    watching.signal,
  ).catch(trouble);
}

function buttons(model) {
  const [words, status] = model.status === "archived" ? ["Put it back", beforeArchived(model)] : ["Archive", "archived"];
  const button = (word, look, act) => el("button", { type: "button", class: look, on: { click: () => attempt(act) } }, word);
  return [
    model.status === "validating" ? null : button(words, "button", () => change({ status })),
    button("Delete", "button danger", () => remove(model)),
  ].filter(Boolean);
}

/** What an archived model was, and becomes again. */
function beforeArchived({ found, error_message: error, file_hash: file }) {
  if (found) return "ready";
  if (error) return "error";
  return file ? "uploaded" : "pending";
}

async function change(json) {
  const { body: model } = await call(path, { method: "PATCH", json });
  announce(`It is ${model.status}`);
  await show(model);
  find(".end .button", head)?.focus();
}

async function remove({ name, version }) {
  const text = `${name} ${version} goes with its file and the history of its predictions. Whoever asks for it is told that there is no such model.`;
  if (!(await confirmed({ title: "Delete this model?", text, action: "Delete the model" }))) return;
  await call(path, { method: "DELETE" });
  location.assign("/models");
}

async function attempt(task) {
  try {
    await task();
    find("#trouble").replaceChildren();
  } catch (error) {
    trouble(error);
  }
}

function trouble(error) {
  find("#trouble").replaceChildren(problemNotice(error));
}

function measureSoon() {
  clearTimeout(due);
  due = setTimeout(() => panels.forEach((panel) => panel.look()), WRITTEN);
}

function schemaPanel(model) {
  const table = schemaTable(model);
  const words = "What it takes and gives is known when its file was validated.";
  return el("section", { class: "panel stack", "aria-labelledby": "schema-title" }, el("h2", { id: "schema-title" }, "What it takes and gives"), table ?? el("p", { class: "quiet" }, words), (model.found?.notes ?? []).map((note) => el("p", { class: "hint" }, note)));
}

function factsPanel({ found, ...model }) {
  const { producer_name: producer, producer_version: of, opsets = {}, parameters, memory_bytes: memory } = found ?? {};
  const pairs = [
    ["Id", el("code", {}, model.id)],
    ["Sent", time(model.created_at)],
    ["File", model.file_size_bytes === null ? null : bytes(model.file_size_bytes)],
    ["SHA-256", model.file_hash ? el("code", {}, model.file_hash) : null],
    ["Made by", [producer, of].filter(Boolean).join(" ") || null],
    ["Opset", Object.entries(opsets).map(([name, version]) => `${name} ${version}`).join(", ") || null],
    ["Parameters", parameters ? count(parameters) : null],
    ["In memory", memory === undefined ? null : `about ${bytes(memory)}`],
    ["Cached", found ? (found.deterministic ? "equal inputs get the earlier answer" : "never: it has random operators") : null],
    ["Shared runs", found ? (found.row_by_row ? "rows of several requests may share a run" : "each request has a run of its own") : null],
    ["Tags", model.tags.join(", ") || null],
  ].filter(([, value]) => value !== null);
  return el("section", { class: "panel stack", "aria-labelledby": "facts-title" }, el("h2", { id: "facts-title" }, "About it"), el("dl", { class: "pairs" }, pairs.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
}

load();
