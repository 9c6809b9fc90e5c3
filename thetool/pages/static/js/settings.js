/** Settings: the keys of the service, for those who may issue them. */

import "./status_line.js";
import "./times.js";
import { announce } from "./announce.js";
import { call, pathOf } from "./api.js";
import { copyButton } from "./clipboard.js";
import { confirmed } from "./confirm.js";
import { curl, showRequest } from "./curl.js";
import { el, find, findAll } from "./dom.js";
import { bytes, count, counted } from "./format.js";
import { forgetDraft } from "./kept.js";
import { problemNotice } from "./problem.js";
import { time } from "./times.js";

const LIST = "/api/v1/keys?limit=200";
const DAY = 86_400_000;
const form = find("#new-key");

async function showKeys() {
  await attempt(async () => {
    const items = [];
    for (let path = LIST; path;) {
      const { body: page } = await call(path);
      items.push(...page.items);
      path = pathOf(page.next);
    }
    const prefixes = new Map(items.map((key) => [key.id, key.key_prefix]));
    find("#rows").replaceChildren(...items.map((key) => keyRow(key, prefixes)));
    find("#rows").removeAttribute("aria-busy");
    find("#key-table").hidden = !items.length;
    find("#none").hidden = Boolean(items.length);
  });
}

function keyRow(key, prefixes) {
  const owner = key.owner === key.name ? null : el("span", { class: "said" }, key.owner);
  return el(
    "tr",
    { class: key.replaced_by ? "replaced" : null },
    el("td", {}, el("b", {}, key.name), owner, key.replaced_by ? whyStillHere(key, prefixes) : null),
    named("Key", el("code", {}, `${key.key_prefix}…`)),
    named("It may", key.scopes.join(", ")),
    named("Limits", limitsOf(key)),
    named("Made", time(key.created_at)),
    named("Last used", key.last_used_at ? time(key.last_used_at) : el("span", { class: "quiet" }, "never")),
    named("Expires", key.expires_at ? time(key.expires_at) : el("span", { class: "quiet" }, "never")),
    el(
      "td",
      { class: "end" },
      key.replaced_by ? null : button("Webhooks", key, makeWebhookSecret),
      key.replaced_by ? null : button("Rotate", key, rotate),
      button("Revoke", key, revoke),
    ),
  );
}

/** Why a rotated key is in the list: until it ends, whatever uses it can change over to the new one. */
function whyStillHere(key, prefixes) {
  const successor = prefixes.get(key.replaced_by);
  const by = successor ? ["replaced by ", el("code", {}, `${successor}…`)] : ["replaced by a key that is gone"];
  const ended = key.expires_at && Date.parse(key.expires_at) <= Date.now();
  return el("span", { class: "why" }, by, ended ? "; it has ended" : "; works beside it until it expires");
}

/** A cell that names its column itself, on screens where the columns stand below each other. */
const named = (column, content) => el("td", { "data-column": column }, el("div", {}, content));

function button(word, key, act) {
  const on = { click: () => act(key) };
  return el("button", { type: "button", class: "button bare small", "aria-label": `${word} ${key.name}`, on }, word);
}

/** A key's own limits in words; where it has none, those of the service hold. */
function limitsOf({ rate_limit_per_minute: rate, job_quota: jobs, storage_quota_bytes: storage }) {
  const limits = [
    rate === null ? null : `${count(rate)} requests a minute`,
    jobs === null ? null : `${counted(jobs, "job")} at a time`,
    storage === null ? null : `${bytes(storage)} of files`,
  ].filter(Boolean);
  if (!limits.length) return el("span", { class: "quiet" }, "the usual");
  return limits.map((limit) => el("div", {}, limit));
}

const GRACE = [
  ["0", "at once"],
  ["3600", "in an hour"],
  ["86400", "in a day"],
  ["604800", "in a week"],
];

/** Give a key a new secret; whatever uses the old one has so long to change over. */
async function rotate(key) {
  const options = GRACE.map(([value, word]) => el("option", { value }, word));
  const choice = el(
    "div",
    { class: "field" },
    el("label", { for: "grace" }, "The old secret ends"),
    el("select", { id: "grace" }, options),
  );
  const text = `“${key.name}” gets a new secret, which is shown once. Owner, scopes and limits stay.`;
  const grace = await confirmed({ title: "Rotate this key?", text, action: "Rotate the key", choice });
  if (grace === false) return;
  await attempt(async () => {
    const path = `/api/v1/keys/${key.id}/rotate?grace_seconds=${grace}`;
    const { body: issued } = await call(path, { method: "POST" });
    showKey(issued);
    await showKeys();
  });
}

/** Make the secret that signs the webhooks of a key; without one, of the master key. */
async function makeWebhookSecret(key) {
  const text = "Receivers check with it that a message is ours. The one before, if there is one, is good for another day.";
  if (!(await confirmed({ title: "Make a webhook secret?", text, action: "Make the secret" }))) return;
  await attempt(async () => {
    const { body: made } = await call(`/api/v1/keys/${key ? key.id : "current"}/webhook-secret`, { method: "POST" });
    showSecret(`The webhook secret of ${key ? `“${key.name}”` : "this key"}`, made.webhook_secret);
  });
}

async function revoke(key) {
  const text = `Whatever uses “${key.name}” is refused from now on. Its results stay with their owner.`;
  if (!(await confirmed({ title: "Revoke this key?", text, action: "Revoke the key" }))) return;
  await attempt(async () => {
    await call(`/api/v1/keys/${key.id}`, { method: "DELETE" });
    announce(`${key.name} is revoked`);
    find("#secret").hidden = true;
    await showKeys();
  });
}

/** The key that the form describes, as the API takes it. */
function wanted() {
  const days = Number(form.elements.expires.value);
  return {
    name: form.elements.name.value.trim(),
    scopes: findAll('[name="scope"]:checked', form).map((box) => box.value),
    ...limitsWanted(),
    ...(days ? { expires_at: new Date(Date.now() + days * DAY).toISOString() } : {}),
  };
}

function limitsWanted() {
  const megabytes = form.elements.storage.value;
  const given = {
    rate_limit_per_minute: form.elements.rate.value,
    job_quota: form.elements.jobs.value,
    storage_quota_bytes: megabytes && Number(megabytes) * 2 ** 20,
  };
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => [name, Number(value)]),
  );
}

async function make(event) {
  event.preventDefault();
  await attempt(async () => {
    const { body: issued } = await call("/api/v1/keys", { method: "POST", json: wanted() });
    showKey(issued);
    form.reset();
    tellRequest();
    await showKeys();
  });
}

function showKey({ name, key }) {
  showSecret(`The key “${name}”`, key);
}

function showSecret(title, secret) {
  const box = find("#secret");
  const notice = el(
    "div",
    { class: "notice good", tabindex: "-1" },
    el("h2", {}, title),
    el("p", {}, "Copy it now: it is not shown again."),
    el(
      "div",
      { class: "row" },
      el("code", { class: "wrap secret" }, secret),
      copyButton(() => secret, "Copy it", "Copy"),
    ),
  );
  box.replaceChildren(notice);
  box.hidden = false;
  notice.focus();
}

async function attempt(task) {
  try {
    await task();
    find("#trouble").replaceChildren();
  } catch (error) {
    find("#trouble").replaceChildren(problemNotice(error));
  }
}

function tellRequest() {
  showRequest(wanted().name ? curl("/api/v1/keys", { json: wanted() }) : curl(LIST));
}

find("#sign-out").addEventListener("submit", forgetDraft);
if (form) {
  find("#webhook-secret").addEventListener("click", () => makeWebhookSecret(null));
  form.addEventListener("submit", make);
  form.addEventListener("input", tellRequest);
  tellRequest();
  showKeys();
}
