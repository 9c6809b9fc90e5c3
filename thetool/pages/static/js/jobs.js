/** The live list of jobs: filters and cursor are in the address, so that a view can be kept and shared. */

import "./status_line.js";
import "./times.js";
import { call, pathOf } from "./api.js";
import { curl, showRequest } from "./curl.js";
import { el, find, say } from "./dom.js";
import { askToCancel, askToDelete } from "./job_actions.js";
import { progressBar, statusBadge, took } from "./job_parts.js";
import { over, repeat } from "./live.js";
import { problemNotice } from "./problem.js";
import { time } from "./times.js";

const LIMIT = 25;
const BUSY_SECONDS = 1;
const CALM_SECONDS = 2;

const body = find("#rows");
const filters = find("#filters");
const rows = new Map();
let looking = new AbortController();

const wanted = () => new URLSearchParams(location.search);

/** The API's path for what the address asks. */
function listPath() {
  const query = new URLSearchParams({ limit: LIMIT });
  for (const name of ["status", "kind", "cursor"]) if (wanted().get(name)) query.set(name, wanted().get(name));
  return `/api/v1/jobs?${query}`;
}

async function refresh() {
  try {
    const { body: page } = await call(listPath(), { signal: looking.signal });
    showPage(page);
    find("#trouble").replaceChildren();
    return page.items.some((job) => !over(job)) ? BUSY_SECONDS : CALM_SECONDS;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    find("#trouble").replaceChildren(problemNotice(error));
    return CALM_SECONDS;
  }
}

function showPage({ items, next }) {
  const seen = new Set(items.map((job) => job.id));
  for (const [id, row] of rows) {
    if (!seen.has(id)) {
      row.node.remove();
      rows.delete(id);
    }
  }
  items.forEach((job, place) => {
    if (!rows.has(job.id)) rows.set(job.id, jobRow());
    const row = rows.get(job.id);
    row.show(job);
    if (body.children[place] !== row.node) body.insertBefore(row.node, body.children[place] ?? null);
  });
  body.removeAttribute("aria-busy");
  find("#table").hidden = !items.length;
  find("#empty").hidden = Boolean(items.length);
  find("#empty-filtered").hidden = !(wanted().get("status") || wanted().get("kind"));
  find("#newest").hidden = !wanted().get("cursor");
  find("#newest").href = address({ cursor: null });
  find("#older").hidden = !next;
  if (next) find("#older").href = address({ cursor: new URLSearchParams(pathOf(next).split("?")[1]).get("cursor") });
}

/** This page's address with some of its query changed; null takes a name away. */
function address(changes) {
  const query = wanted();
  for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
  return query.size ? `/jobs?${query}` : "/jobs";
}

/** A row that `show(job)` keeps true. */
function jobRow() {
  const badge = statusBadge();
  const bar = progressBar();
  const link = el("a", {});
  const message = el("span", { class: "said" });
  const length = el("td", { class: "end number took" });
  const when = el("td", { class: "end when" });
  const action = el("td", { class: "end act" });
  const node = el(
    "tr",
    {},
    el("td", { class: "state" }, badge.node),
    el("td", { class: "what" }, link, message),
    el("td", { class: "bar" }, bar.node),
    length,
    when,
    action,
  );
  let offered = null;
  const show = (job) => {
    badge.show(job);
    bar.show(job);
    say(link, job.kind);
    link.href = `/jobs/${job.id}`;
    say(message, (job.status === "failed" ? job.error?.message : job.message) ?? job.id);
    say(length, took(job));
    if (!offered) when.append(time(job.created_at));
    const able = over(job) ? "delete" : job.cancel_requested_at ? "none" : "cancel";
    if (offered !== able) action.replaceChildren(...actions(able, job));
    offered = able;
  };
  return { node, show };
}

function actions(able, job) {
  if (able === "none") return [];
  const [word, act] = able === "delete" ? ["Delete", askToDelete] : ["Cancel", askToCancel];
  return [
    el(
      "button",
      {
        type: "button",
        class: "button bare small",
        "aria-label": `${word} ${job.kind} ${job.id}`,
        on: { click: () => attempt(act(job)) },
      },
      word,
    ),
  ];
}

async function attempt(asking) {
  try {
    if (await asking) lookAgain();
  } catch (error) {
    find("#trouble").replaceChildren(problemNotice(error));
  }
}

function lookAgain() {
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
