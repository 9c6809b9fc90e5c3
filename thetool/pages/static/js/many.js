/** Many files at once: sent as batches, followed until all are over, each shown when it is chosen. */

import { contentOf, inWords } from "./analysis_request.js";
import { announce } from "./announce.js";
import { call, Problem } from "./api.js";
import { kindOf } from "./content_kind.js";
import { counted } from "./format.js";
import { jsonView } from "./json_view.js";
import { keepMany, keptMany } from "./kept.js";
import { over, repeat } from "./live.js";
import { manyView } from "./many_view.js";
import { problemNotice } from "./problem.js";
import { resultView } from "./result.js";
import { upload } from "./upload.js";

const LOOK_SECONDS = 1;
const AT_ONCE = 4; // results that are asked for together
const PAGE = 200;

/**
 * Send these parcels, one after the other, and show what becomes of each file; `follow()` of what it resolves to goes on
 * until all are over.
 * @param {{show: Function, place: Function, signal: AbortSignal}} page how to show a view and an answer beside it, how
 * to put into the address what brings this back, and what stops all
 */
export async function sendMany(parcels, files, { show, place, signal }) {
  const items = files.map((file) => ({ name: file.name, kind: kindOf(file), file, state: "unsent" }));
  const many = begin(items, show, signal);
  for (const parcel of parcels) {
    const sent = parcel.files.map((file) => items.find((item) => item.file === file));
    await sendParcel(parcel, sent, many);
    keepMany(many.batches, items);
    if (many.batches.length) place({ batch: many.batches.join(","), files: files.length });
  }
  return many;
}

/**
 * Take up batches again, as after a reload: by what this tab kept, else by the jobs that the service has. Of the `total`
 * files that were sent (NaN or 0: not known) those that were answered at once have no job there.
 */
export async function resumeMany(batches, total, { show, place, signal }) {
  place({ batch: batches.join(","), ...(total ? { files: total } : {}) });
  const kept = keptMany(batches);
  const items = kept ?? (await itemsOf(batches, signal));
  const others = kept || !total ? 0 : Math.max(0, total - items.length);
  if (!items.length) throw new Problem(others ? { ...elsewhere, detail: atOnce(others) } : gone);
  for (const item of items) if (!item.id && !item.problem) Object.assign(item, { state: "failed", problem: left });
  const many = begin(items, show, signal, others ? atOnce(others) : "");
  many.batches.push(...batches);
  return many;
}

function atOnce(others) {
  const [were, them] = others === 1 ? ["was", "it"] : ["were", "them"];
  const how = `${were} answered at once, in the browser that sent ${them} (known from before, or refused)`;
  return `${counted(others, "more file")} ${how}, or no longer kept. Send ${them} again to see ${them} here.`;
}

/** The items of batches that this tab knows nothing of. */
async function itemsOf(batches, signal) {
  const jobs = (await Promise.all(batches.map((batch) => jobsOf(batch, signal)))).flat();
  const kindOfJob = (kind) => ({ "analyze.photo": "image", "analyze.table": "table" })[kind] ?? "text";
  const items = jobs.map(({ id, kind, title }) => ({ id, kind: kindOfJob(kind), name: title ?? id, state: "queued" }));
  return items.reverse(); // jobs come newest first
}

async function jobsOf(batch, signal) {
  const { body } = await call(`/api/v1/jobs?batch_id=${encodeURIComponent(batch)}&limit=${PAGE}`, { signal });
  return body.items;
}

function begin(items, show, signal, note = "") {
  const stop = new AbortController(); // of the sending alone
  signal.addEventListener("abort", () => stop.abort(signal.reason));
  const view = manyView(items, { chosen: showItem, cancel: () => cancel(), note });
  const batches = [];
  let shown = null;

  function showItem(item) {
    shown = item;
    view.choose(item);
    const { analysis, problem } = item;
    const detail = analysis ? resultView(analysis, item) : problem ? problemNotice(problem) : null;
    view.detail(detail);
    show(view.node, analysis ? jsonView("The answer", analysis) : null);
  }

  /** Note what is known of an item; the first result is shown by itself, and later ones where they are looked at. */
  function settle(item, news) {
    Object.assign(item, news);
    view.show(item);
    const settled = item.analysis || item.problem;
    if (settled && (item === shown || (!shown && item.analysis))) showItem(item);
  }

  async function cancel() {
    stop.abort(new DOMException("Cancelled", "AbortError"));
    for (const item of items.filter(({ state }) => state === "unsent")) settle(item, cancelled);
    await Promise.all(batches.map((batch) => call(`/api/v1/batches/${encodeURIComponent(batch)}/cancel`, { method: "POST" })));
    announce("Cancelling");
  }

  const follow = async () => {
    await followAll(items, batches, { settle, view, signal });
    view.done();
    announce(view.summary());
  };
  show(view.node);
  return { batches, settle, view, stop: stop.signal, signal, follow };
}

const gone = { title: "There is nothing here", detail: "These files are no longer kept.", code: "not_found" };
const elsewhere = { title: "The answers are not here", code: "answered_at_once" };
const left = { title: "It was not sent", detail: "The page was left before its turn came.", code: "not_sent" };
const cancelled = { state: "cancelled", problem: { title: "It was cancelled", code: "cancelled" } };

/** Send one parcel; what goes wrong with it as a whole is told of each of its files. */
async function sendParcel(parcel, items, { batches, settle, view, stop, signal }) {
  if (stop.aborted) return;
  for (const item of items) settle(item, { state: "sending" });
  try {
    const headers = { Prefer: "respond-async" };
    const sent = (fraction) => view.sending(items, fraction);
    const { body } = await upload("/analyze", { ...contentOf(parcel), headers, sent, signal: stop });
    if (body.batch_id) batches.push(body.batch_id);
    const results = body.results ?? [{ analysis: body }];
    results.forEach((result, place) => take(items[place], result, settle));
  } catch (error) {
    if (signal.aborted) throw error;
    const problem = error.name === "AbortError" ? cancelled.problem : error;
    for (const item of items) settle(item, { state: error.name === "AbortError" ? "cancelled" : "failed", problem });
  } finally {
    view.sending(items, null);
  }
}

function take(item, { analysis, problem }, settle) {
  if (problem) {
    settle(item, { state: "failed", problem: inWords(new Problem(problem), item.name) });
  } else if (analysis.status === "completed") settle(item, { id: analysis.id, state: "completed", analysis });
  else settle(item, { id: analysis.id, state: analysis.status });
}

/** Look at what is open until nothing is. */
async function followAll(items, batches, { settle, view, signal }) {
  const done = new AbortController();
  signal.addEventListener("abort", () => done.abort(signal.reason));
  await repeat(
    async () => {
      const open = items.filter(({ id, analysis, problem }) => id && !analysis && !problem);
      if (!open.length) return done.abort(new DOMException("All is over", "AbortError"));
      try {
        await look(open, batches, settle, signal);
        view.trouble(null);
      } catch (error) {
        if (error.name === "AbortError") throw error;
        view.trouble(error); // it is asked again
      }
    },
    LOOK_SECONDS,
    done.signal,
  );
  signal.throwIfAborted();
}

async function look(open, batches, settle, signal) {
  const jobs = new Map();
  for (const batch of batches) for (const job of await jobsOf(batch, signal)) jobs.set(job.id, job);
  const ended = [];
  for (const item of open) {
    const job = jobs.get(item.id);
    if (!job || over(job)) ended.push(item);
    else settle(item, { state: job.status, job });
  }
  const next = async () => {
    for (let item = ended.shift(); item; item = ended.shift()) await finish(item, settle, signal);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

/** Ask for the end of one job; it may be of another batch, where an equal file was sent before. */
async function finish(item, settle, signal) {
  try {
    const { body: job } = await call(`/api/v1/jobs/${encodeURIComponent(item.id)}`, { signal });
    if (job.status === "completed") {
      return settle(item, { state: "completed", job, analysis: { ...job.result, created_at: job.created_at } });
    }
    if (!over(job)) return settle(item, { state: job.status, job });
    if (job.status === "cancelled") return settle(item, cancelled);
    const { message: detail, code } = job.error ?? {};
    const problem = new Problem({ title: "The analysis failed", detail, code, request_id: job.correlation_id });
    settle(item, { state: "failed", job, problem });
  } catch (error) {
    if (error.status !== 404) throw error;
    settle(item, { state: "failed", problem: error }); // it is no longer kept
  }
}
