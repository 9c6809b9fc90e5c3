/** Batches on a model's page: a file with many rows is sent, followed, cancelled, fetched. */

import { announce } from "./announce.js";
import { call } from "./api.js";
import { curl, showRequest } from "./curl.js";
import { el, find, say } from "./dom.js";
import { counted } from "./format.js";
import { cancelJob } from "./job_actions.js";
import { nameOf, progressBar, statusBadge, took } from "./job_parts.js";
import { over, repeat } from "./live.js";
import { modelPath } from "./model_parts.js";
import { fileTarget } from "./model_upload.js";
import { problemNotice } from "./problem.js";
import { time } from "./times.js";
import { upload } from "./upload.js";
import { sendingView } from "./working.js";

const LIMIT = 10;
const LOOK_SECONDS = 1;
const HEADS = [["Status"], ["File"], ["Progress"], ["Took", "end"], ["Sent", "end"]];
const FORMATS = [["", "As it comes"], ["csv", "CSV"], ["parquet", "Parquet"], ["jsonl", "JSON Lines"], ["npy", ".npy"]];
const TAKEN = ".csv,.tsv,.txt,.parquet,.jsonl,.ndjson,.npy,.npz,.gz,.zip";

/** The panel of a model's batches. */
export function batchPanel(model) {
  const path = `${modelPath(model.id)}/batches`;
  const outcome = el("div", { class: "stack slot", id: "batch-outcome" });
  const list = batchList(path);
  const form = batchForm(path, outcome, list);
  const words = "A file with a row for each prediction: CSV, Parquet, JSON Lines or .npy. It comes back with the predictions beside its columns.";
  const node = el(
    "section",
    { class: "panel stack", "aria-labelledby": "batch-title" },
    el("div", { class: "heading" }, el("h2", { id: "batch-title" }, "Batch"), el("p", { class: "small" }, words)),
    model.status === "ready" ? form : null,
    outcome,
    list.node,
  );
  list.look();
  return node;
}

function batchForm(path, outcome, list) {
  let file = null;
  const columns = el("input", { type: "text", id: "batch-columns", autocomplete: "off", placeholder: "by their names, or in the file's order" });
  const keep = el("select", { id: "batch-keep" }, el("option", { value: "" }, "All"), el("option", { value: "none" }, "None"));
  const format = el("select", { id: "batch-format" }, FORMATS.map(([value, word]) => el("option", { value }, word)));
  const fields = () =>
    [["columns", columns.value.trim()], ["keep_columns", keep.value], ["output_format", format.value]].filter(([, value]) => value);
  const tell = () => showRequest(curl(path, { files: [["file", file?.name ?? "rows.csv"]], form: fields() }));
  const choose = el("button", { type: "button", class: "button small" }, "Choose a file…");
  const drop = el(
    "div",
    { class: "drop target" },
    el("p", { class: "wrap" }, "Drop a file of rows here"),
    el("p", { class: "hint" }, "What it is, its content says."),
    choose,
    el("input", { type: "file", class: "unseen", tabindex: "-1", "aria-label": "File of rows", accept: TAKEN }),
  );
  const button = el("button", { class: "button main", id: "batch-go" }, "Predict every row");
  const form = el(
    "form",
    { class: "push batch", id: "batch", novalidate: true },
    drop,
    field("Columns that the model takes", columns),
    field("Keep columns", keep),
    field("Result", format),
    el("div", { class: "row wide" }, button),
  );
  fileTarget(drop, (one) => {
    file = one;
    tell();
  });
  form.addEventListener("input", tell);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!file) {
      outcome.replaceChildren(problemNotice({ title: "Which file?", detail: "Choose a file of rows, or drop it.", code: "missing" }));
      return choose.focus();
    }
    button.disabled = true;
    tell();
    await send(path, file, fields(), outcome);
    button.disabled = false;
    list.look();
  });
  return form;
}

function field(words, input) {
  return el("div", { class: "field" }, el("label", { for: input.id }, words), input);
}

async function send(path, file, fields, outcome) {
  const body = new FormData();
  body.append("file", file, file.name);
  for (const [name, value] of fields) body.append(name, value);
  const sending = sendingView(file);
  outcome.replaceChildren(sending.node);
  try {
    await upload(path, { body, sent: sending.show });
    outcome.replaceChildren();
    announce(`${file.name} was sent`);
  } catch (error) {
    outcome.replaceChildren(problemNotice(error));
  }
}

/** The newest batches, looked at again until they are over. */
function batchList(path) {
  const rows = new Map(); // by job
  const body = el("tbody", {});
  const trouble = el("div", { class: "slot" });
  const none = el("p", { class: "quiet", hidden: true }, "No file was sent yet.");
  const actions = el("th", { scope: "col" }, el("span", { class: "unseen" }, "Actions"));
  const heads = [...HEADS.map(([head, look]) => el("th", { scope: "col", class: look }, head)), actions];
  const table = el(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-labelledby": "batch-title", hidden: true },
    el("table", { class: "jobs batches" }, el("thead", {}, el("tr", {}, heads)), body),
  );
  let watching = new AbortController();
  const refresh = async (signal) => {
    const { body: page } = await call(`${path}?limit=${LIMIT}`, { signal });
    for (const job of page.items) {
      if (!rows.has(job.id)) rows.set(job.id, batchRow(trouble));
      rows.get(job.id).show(job);
    }
    const nodes = page.items.map(({ id }) => rows.get(id).node);
    if (nodes.length !== body.children.length || nodes.some((node, at) => node !== body.children[at])) body.replaceChildren(...nodes);
    table.hidden = !nodes.length;
    none.hidden = Boolean(nodes.length);
    return page.items.every(over);
  };
  const look = () => {
    watching.abort();
    const mine = (watching = new AbortController());
    const task = async () => {
      if (await refresh(mine.signal)) mine.abort();
    };
    repeat(task, LOOK_SECONDS, mine.signal).catch((error) => trouble.replaceChildren(problemNotice(error)));
  };
  return { node: el("div", { class: "stack" }, table, none, trouble), look };
}

function batchRow(trouble) {
  const badge = statusBadge();
  const bar = progressBar();
  const link = el("a", {});
  const words = el("span", { class: "said wrap" });
  const length = el("td", { class: "end number took" });
  const when = el("td", { class: "end when" });
  const action = el("td", { class: "end act" });
  const node = el("tr", {}, el("td", { class: "state" }, badge.node), el("td", { class: "what" }, link, words), el("td", { class: "bar" }, bar.node), length, when, action);
  let status = null;
  const show = (job) => {
    badge.show(job);
    bar.show(job);
    say(link, nameOf(job));
    link.href = `/jobs/${job.id}`;
    say(words, said(job));
    say(length, took(job));
    const now = job.cancel_requested_at && !over(job) ? "cancelling" : job.status;
    if (now === status) return;
    if (status === null) when.append(time(job.created_at));
    else if (over(job)) announce(`${nameOf(job)} is ${job.status}`);
    status = now;
    action.replaceChildren(...actionOf(job, trouble));
  };
  return { node, show };
}

function said(job) {
  if (job.status === "failed") return job.error?.message ?? "";
  if (!over(job)) return job.message ?? "";
  if (job.status !== "completed") return "";
  const [first] = job.result?.errors ?? [];
  const failed = job.failed_rows ? ` · ${counted(job.failed_rows, "row")} failed, the first is row ${first.row}: ${first.error}` : "";
  return counted(job.rows, "row") + failed;
}

function actionOf(job, trouble) {
  if (job.download_url) {
    return [el("a", { class: "button small", href: job.download_url, download: job.result.filename, "aria-label": `Download ${job.result.filename}` }, "Download")];
  }
  if (over(job) || job.cancel_requested_at) return [];
  const button = el("button", { type: "button", class: "button bare small", "aria-label": `Cancel: ${nameOf(job)}` }, "Cancel");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await cancelJob(job);
      announce("Cancelling");
    } catch (error) {
      button.disabled = false;
      trouble.replaceChildren(problemNotice(error));
    }
  });
  return [button];
}
