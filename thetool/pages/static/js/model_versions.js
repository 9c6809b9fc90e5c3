/** The versions of a model and the aliases that name them, with moving an alias. */

import { announce } from "./announce.js";
import { call } from "./api.js";
import { confirmed } from "./confirm.js";
import { el, find } from "./dom.js";
import { aliasTags, modelBadge, namePath } from "./model_parts.js";
import { problemNotice } from "./problem.js";
import { time } from "./times.js";

const USUAL = ["production", "staging"];

/** The versions of `model`, and the panels of them and their aliases; `changed()` is called after an alias was moved. */
export async function versionPanels(model, changed) {
  const path = namePath(model.name);
  const [{ body: listed }, { body: named }] = await Promise.all([call(`${path}/versions`), call(`${path}/aliases`)]);
  const { versions } = listed;
  if (!versions.some(({ id }) => id === model.id)) return { versions: [], panels: [elsewhere()] };
  return { versions, panels: [versionsPanel(model, versions), aliasesPanel(model, versions, named.aliases, changed)] };
}

/** What stands there for a model of another owner, whose names only that owner has. */
export const elsewhere = () =>
  el("section", { class: "panel stack tight", "aria-label": "Versions" }, el("h2", {}, "Versions and aliases"), el("p", { class: "quiet" }, "The model belongs to another owner; names and aliases are theirs."));

function versionsPanel(model, versions) {
  const rows = versions.map((one) =>
    el(
      "tr",
      { "aria-current": one.id === model.id ? "true" : null },
      el("td", {}, one.id === model.id ? el("b", {}, one.version) : el("a", { href: `/models/${one.id}` }, one.version), " ", aliasTags(one.aliases)),
      el("td", {}, modelBadge(one)),
      el("td", { class: "end quiet small" }, time(one.created_at)),
    ),
  );
  return el(
    "section",
    { class: "panel stack", "aria-labelledby": "versions-title" },
    el("h2", { id: "versions-title" }, "Versions"),
    el(
      "div",
      { class: "table-scroll", tabindex: "0", role: "region", "aria-labelledby": "versions-title" },
      el("table", {}, el("thead", {}, el("tr", {}, ["Version", "Status"].map((word) => el("th", { scope: "col" }, word)), el("th", { scope: "col", class: "end" }, "Sent"))), el("tbody", { id: "versions" }, rows)),
    ),
  );
}

function aliasesPanel(model, versions, aliases, changed) {
  const trouble = el("div", { class: "slot" });
  const attempt = async (task, said) => {
    try {
      await task();
      announce(said);
      await changed();
    } catch (error) {
      trouble.replaceChildren(problemNotice(error));
    }
  };
  const ready = versions.filter(({ status }) => status === "ready");
  return el(
    "section",
    { class: "panel stack", "aria-labelledby": "aliases-title" },
    el(
      "div",
      { class: "stack tight" },
      el("h2", { id: "aliases-title", tabindex: "-1" }, "Aliases"),
      el("p", { class: "hint" }, "Names for versions, moved in one step. Whoever asks the model by its name gets what production names, else the highest ready version."),
    ),
    aliases.length ? el("ul", { class: "stack tight", id: "aliases" }, aliases.map((alias) => aliasLine(model, alias, attempt))) : null,
    trouble,
    ready.length ? moveForm(model, ready, aliases, attempt) : null,
  );
}

function aliasLine(model, { alias, version, canary_version: canary, canary_percent: percent, earlier }, attempt) {
  const path = `${namePath(model.name)}/aliases/${alias}`;
  const button = (word, act) => el("button", { type: "button", class: "button bare small", "aria-label": `${word} ${alias}`, on: { click: act } }, word);
  const back = () => attempt(() => call(`${path}/rollback`, { method: "POST" }), `${alias} is moved back`);
  const remove = async () => {
    const text = `Whoever asks for “${alias}” is told that there is no such model. The version stays.`;
    if (await confirmed({ title: "Delete this alias?", text, action: "Delete the alias" })) await attempt(() => call(path, { method: "DELETE" }), `${alias} is deleted`);
  };
  return el(
    "li",
    { class: "row" },
    el("span", { class: "tag on" }, alias),
    el("span", {}, "is ", el("b", {}, version), canary ? `, and ${percent} % go to ${canary}` : null),
    el("span", { class: "end" }, earlier.length ? button("Roll back", back) : null, button("Delete", remove)),
  );
}

function moveForm(model, ready, aliases, attempt) {
  const options = (chosen) => ready.map(({ version }) => el("option", { selected: version === chosen }, version));
  const names = [...new Set([...aliases.map(({ alias }) => alias), ...USUAL])];
  const form = el(
    "form",
    { class: "move", id: "move", novalidate: true },
    labelled("alias", "Alias", el("input", { type: "text", id: "alias", list: "alias-names", autocomplete: "off", maxlength: 50, value: names[0] })),
    el("datalist", { id: "alias-names" }, names.map((name) => el("option", { value: name }))),
    labelled("alias-version", "names", el("select", { id: "alias-version" }, options(model.version))),
    ready.length > 1 ? labelled("canary", "A share goes to", el("select", { id: "canary" }, el("option", { value: "" }, "no other"), options(null))) : null,
    ready.length > 1 ? labelled("percent", "Share in %", el("input", { type: "number", id: "percent", min: 0.1, max: 100, step: "any", value: 5, disabled: true })) : null,
    el("button", { class: "button" }, "Move it"),
  );
  const canary = find("#canary", form);
  canary?.addEventListener("change", () => (find("#percent", form).disabled = !canary.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const alias = find("#alias", form).value.trim();
    const version = find("#alias-version", form).value;
    const share = canary?.value ? { canary_version: canary.value, canary_percent: Number(find("#percent", form).value) } : {};
    const path = `${namePath(model.name)}/aliases/${encodeURIComponent(alias)}`;
    attempt(() => call(path, { method: "PUT", json: { version, ...share } }), `${alias} is ${version} now`);
  });
  return form;
}

const labelled = (id, words, field) => el("div", { class: "field" }, el("label", { for: id }, words), field);
