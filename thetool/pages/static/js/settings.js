/** Settings: the keys of the service, for those who may issue them. */

import "./status_line.js";
import "./times.js";
import { announce } from "./announce.js";
import { call, pathOf } from "./api.js";
import { copyButton } from "./clipboard.js";
import { confirmed } from "./confirm.js";
import { curl, showRequest } from "./curl.js";
import { el, find, findAll } from "./dom.js";
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
    find("#rows").replaceChildren(...items.map(keyRow));
    find("#rows").removeAttribute("aria-busy");
    find("#key-table").hidden = !items.length;
    find("#none").hidden = Boolean(items.length);
  });
}

function keyRow(key) {
  return el(
    "tr",
    {},
    el("td", {}, el("b", {}, key.name), key.owner === key.name ? null : el("span", { class: "said" }, key.owner)),
    el("td", {}, el("code", {}, `${key.key_prefix}…`)),
    el("td", {}, key.scopes.join(", ")),
    el("td", {}, time(key.created_at)),
    el("td", {}, key.last_used_at ? time(key.last_used_at) : el("span", { class: "quiet" }, "never")),
    el("td", {}, key.expires_at ? time(key.expires_at) : el("span", { class: "quiet" }, "never")),
    el(
      "td",
      { class: "end" },
      el(
        "button",
        {
          type: "button",
          class: "button bare small",
          "aria-label": `Revoke ${key.name}`,
          on: { click: () => revoke(key) },
        },
        "Revoke",
      ),
    ),
  );
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
    ...(days ? { expires_at: new Date(Date.now() + days * DAY).toISOString() } : {}),
  };
}

async function make(event) {
  event.preventDefault();
  await attempt(async () => {
    const { body: issued } = await call("/api/v1/keys", { method: "POST", json: wanted() });
    showSecret(issued);
    form.reset();
    tellRequest();
    await showKeys();
  });
}

function showSecret({ name, key }) {
  const box = find("#secret");
  const notice = el(
    "div",
    { class: "notice good", tabindex: "-1" },
    el("h2", {}, `The key “${name}”`),
    el("p", {}, "Copy it now: it is not shown again."),
    el(
      "div",
      { class: "row" },
      el("code", { class: "wrap secret" }, key),
      copyButton(() => key, "Copy the key", "Copy"),
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

if (form) {
  form.addEventListener("submit", make);
  form.addEventListener("input", tellRequest);
  tellRequest();
  showKeys();
}
