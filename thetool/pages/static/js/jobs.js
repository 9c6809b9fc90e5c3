/** The live list of jobs: filters and cursor are in the address, so that a view can be kept and shared. */

import "./status_line.js";
import "./times.js";
import { call } from "./api.js";
import { askForBatches, batchOf, forgetBatches, grouped } from "./batches.js";
import { curl, showRequest } from "./curl.js";
import { find } from "./dom.js";
import { listen } from "./events.js";
import { batchRow, jobRow } from "./job_row.js";
import { address, asked, showPages, wanted } from "./list_address.js";
import { over, repeat } from "./live.js";
import { problemNotice } from "./problem.js";

const LIMIT = 25;
const BUSY_SECONDS = 1;
const CALM_SECONDS = 2;
const LIVE_ROWS = 2; // browsers open six connections to a service, over all tabs
const OLDER_UNFINISHED = 10; // at most so many that are not among the newest are shown above them

const body = find("#rows");
const filters = find("#filters");
const rows = new Map(); // by the id of the job or the batch, in the order of the page
const live = new Map(); // by the id of a job whose events are heard: how it is now, and what stops it
let looking = new AbortController();

/** The API's path for what the address asks, or for that with another status and number. */
function listPath({ limit = LIMIT, status = null } = {}) {
  const query = asked(["status", "kind", "batch_id", "cursor"], { limit });
  if (status) query.set("status", status);
  return `/api/v1/jobs?${query}`;
}

async function refresh() {
  try {
    const { signal } = looking;
    const everything = !wanted().get("status") && !wanted().get("cursor");
    const both = [call(listPath(), { signal }), everything ? unfinishedJobs(signal) : null];
    const [{ body: page }, unfinished] = await Promise.all(both);
    const jobs = everything ? unfinishedFirst(page.items, unfinished) : page.items;
    showPage(page, jobs);
    await askForBatches(grouped(jobs), signal);
    showRows(jobs);
    hear(jobs.filter((job) => !over(job)).slice(0, LIVE_ROWS));
    find("#trouble").replaceChildren();
    return jobs.some((job) => !over(job) && !live.get(job.id)?.now) ? BUSY_SECONDS : CALM_SECONDS;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    find("#trouble").replaceChildren(problemNotice(error));
    return CALM_SECONDS;
  }
}

/** What is unfinished, however long ago it was made. */
async function unfinishedJobs(signal) {
  const paths = ["running", "queued"].map((status) => listPath({ status, limit: OLDER_UNFINISHED }));
  const pages = await Promise.all(paths.map((path) => call(path, { signal })));
  return pages.flatMap(({ body: page }) => page.items);
}

const RANK = { running: 0, queued: 1 };
const rank = ({ status }) => RANK[status] ?? 2;

/** The jobs of a page, and `others` that are not on it: running ones, then queued ones, then the rest. */
function unfinishedFirst(jobs, others) {
  const here = new Map(jobs.map((job) => [job.id, job]));
  const elsewhere = others.filter(({ id }) => !here.has(id)).slice(0, OLDER_UNFINISHED);
  return [...jobs, ...elsewhere].sort((one, other) => rank(one) - rank(other));
}

/** Follow these jobs by their events, and no others. */
function hear(jobs) {
  for (const [id, { stop }] of live) {
    if (jobs.some((job) => job.id === id)) continue;
    stop.abort();
    live.delete(id);
  }
  for (const job of jobs) {
    if (live.has(job.id)) continue;
    const entry = { now: null, stop: new AbortController() };
    const changed = (now) => rows.get(job.id)?.show((entry.now = now));
    live.set(job.id, entry);
    listen(job, { changed, signal: entry.stop.signal }).then((heard) => {
      entry.now = null; // from now on, what the list says
      if (heard && live.get(job.id) === entry) live.delete(job.id);
    });
  }
}

/** A job as the list says, or its events, which are newer. */
const newest = (job) => (over(job) ? job : (live.get(job.id)?.now ?? job));

/** What the rows of these jobs show: each job, and above those of a batch the batch. */
function rowsOf(jobs) {
  return grouped(jobs).flatMap(({ batchId, jobs: members }) => {
    const batch = batchId ? batchOf(batchId, members) : { total: 1 };
    const above = batch.total > 1 ? [{ id: batchId, make: batchRow, value: batch }] : [];
    const rows = [...above, ...members.map((job) => ({ id: job.id, make: jobRow, value: job, member: above.length > 0 }))];
    return rows.map((row) => ({ ...row, settled: members.every(over) }));
  });
}

function showRows(jobs) {
  const wanted = rowsOf(jobs);
  const seen = new Set(wanted.map(({ id }) => id));
  for (const [id, row] of rows) {
    if (!seen.has(id)) {
      row.node.remove();
      rows.delete(id);
    }
  }
  wanted.forEach(({ id, make, value, member, settled }, place) => {
    if (!rows.has(id)) rows.set(id, make(attempt));
    const row = rows.get(id);
    row.show(newest(value));
    row.node.classList.toggle("member", Boolean(member));
    row.node.classList.toggle("parted", settled && place > 0 && !wanted[place - 1].settled);
    if (body.children[place] !== row.node) body.insertBefore(row.node, body.children[place] ?? null);
  });
}

function showPage({ next }, jobs) {
  showRows(jobs);
  body.removeAttribute("aria-busy");
  find("#table").hidden = !jobs.length;
  find("#empty").hidden = Boolean(jobs.length);
  find("#empty-filtered").hidden = !["status", "kind", "batch_id"].some((name) => wanted().get(name));
  const batch = wanted().get("batch_id");
  find("#batch-results").hidden = !batch || !jobs.length || !jobs.every(({ kind }) => kind.startsWith("analyze."));
  find("#batch-results").href = `/analyze?batch=${batch}`;
  showPages(next);
}

async function attempt(asking) {
  try {
    if (await asking) {
      forgetBatches();
      lookAgain();
    }
  } catch (error) {
    find("#trouble").replaceChildren(problemNotice(error));
  }
}

function lookAgain() {
  const batch = wanted().get("batch_id");
  find("#batch-filter").hidden = !batch;
  find("#all-jobs").href = address({ batch_id: null, cursor: null });
  looking.abort();
  looking = new AbortController();
  showRequest(curl(listPath()));
  repeat(refresh, CALM_SECONDS, looking.signal);
}

filters.addEventListener("change", () => {
  const chosen = Object.fromEntries(new FormData(filters));
  history.pushState(null, "", address({ ...chosen, cursor: null }));
  lookAgain();
});
addEventListener("popstate", () => {
  for (const name of ["status", "kind"]) filters.elements[name].value = wanted().get(name) ?? "";
  lookAgain();
});

lookAgain();
