/** Sending a model from the list's page: a file with its name, version and description. */

import { call } from "./api.js";
import { quote, showRequest } from "./curl.js";
import { find } from "./dom.js";
import { bytes } from "./format.js";
import { modelPath, takesFile } from "./model_parts.js";
import { fileTarget, sendFile, validationView } from "./model_upload.js";
import { problemNotice } from "./problem.js";

const FIRST_VERSION = "1.0.0";

const form = find("#push");
const fields = form.elements;
const outcome = find("#push-outcome");
const typed = { name: false, version: false };
let file = null;
let listed = () => [];
let sent = () => {};

/** Let the form send models; `known()` gives those of the list, and `changed()` is called after one was sent. */
export function pushForm({ known, changed }) {
  listed = known;
  sent = changed;
  fileTarget(find("#drop"), chosen);
  form.addEventListener("submit", send);
  form.addEventListener("input", ({ target }) => {
    if (target.name in typed) typed[target.name] = Boolean(target.value.trim());
    if (target.name === "name") suggestVersion();
    tellRequest();
  });
  tellRequest();
}

function chosen(one) {
  file = one;
  if (!typed.name) fields.name.value = one.name.replace(/\.onnx$/i, "").replaceAll(/[\\/]/g, "-").trim();
  suggestVersion();
  tellRequest();
}

/** The highest version of this name where that still takes a file, else the one after it; unless somebody typed one. */
function suggestVersion() {
  if (typed.version) return;
  const [highest] = listed()
    .filter(({ name }) => name === fields.name.value.trim())
    .map((model) => ({ model, numbers: model.version.split(/[-+]/)[0].split(".").map(Number) }))
    .sort(({ numbers: [a, b = 0, c = 0] }, { numbers: [d, e = 0, f = 0] }) => d - a || e - b || f - c);
  if (!highest) fields.version.value = FIRST_VERSION;
  else if (takesFile(highest.model)) fields.version.value = highest.model.version;
  else fields.version.value = `${highest.numbers[0]}.${(highest.numbers[1] ?? 0) + 1}.0`;
}

function described() {
  const description = fields.description.value.trim();
  return { name: fields.name.value.trim(), version: fields.version.value.trim() || FIRST_VERSION, ...(description ? { description } : {}) };
}

/** Both requests as lines for a shell. */
function tellRequest() {
  const key = '-H "Authorization: Bearer $THETOOL_API_KEY"';
  const models = quote(`${location.origin}/api/v1/models`);
  const body = quote(JSON.stringify({ ...described(), name: described().name || "iris" }));
  const id = `python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])'`;
  const upload = `curl "${location.origin}/api/v1/models/$MODEL/upload?validate=true" \\\n  ${key} \\\n  -F ${quote(`file=@${file?.name ?? "iris.onnx"}`)}`;
  showRequest(`MODEL=$(curl -s ${models} ${key} \\\n  -H 'Content-Type: application/json' -d ${body} \\\n  | ${id})\n${upload}`);
}

async function send(event) {
  event.preventDefault();
  if (!file) return refuse("Which file?", "Choose the model's ONNX file, or drop it.", find("#choose"));
  if (!fields.name.value.trim()) return refuse("How is it called?", "Give the model a name.", fields.name);
  const most = Number(form.dataset.maxBytes);
  if (file.size > most) return refuse("The file is too large", `It has ${bytes(file.size)}; at most ${bytes(most)} are taken (MAX_MODEL_SIZE_BYTES).`, find("#choose"));
  find("#go").disabled = true;
  try {
    const model = await sendAs(await modelFor(described()));
    outcome.replaceChildren(...validationView(model));
    if (model.status === "ready") typed.version = false;
  } catch (error) {
    outcome.replaceChildren(problemNotice(error));
  } finally {
    find("#go").disabled = false;
    sent();
  }
}

function refuse(title, detail, field) {
  outcome.replaceChildren(problemNotice({ title, detail, code: "missing" }));
  field.focus();
}

/** Send the file to a version; one that was made for it goes again where the file is refused before it is kept. */
async function sendAs({ id, made }) {
  try {
    return await sendFile(id, file, outcome);
  } catch (problem) {
    if (made && problem.code === "invalid_model") await call(modelPath(id), { method: "DELETE" });
    throw problem;
  }
}

/** A new model, `made` for this; or that version, where it is there already and still takes a file. */
async function modelFor(json) {
  try {
    const { body } = await call("/api/v1/models", { method: "POST", json });
    return { id: body.id, made: true };
  } catch (problem) {
    if (problem.code !== "model_exists") throw problem;
    const { body } = await call(`/api/v1/models?${new URLSearchParams({ name: json.name, limit: 200 })}`);
    const there = body.items.find(({ version, ...model }) => version === json.version && takesFile(model));
    if (!there) throw problem;
    return { id: there.id, made: false };
  }
}
