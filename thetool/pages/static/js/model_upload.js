/** Sending a model's file: chosen or dropped, with how far it is, until it is told whether it can be served. */

import { announce } from "./announce.js";
import { call } from "./api.js";
import { el, find, say } from "./dom.js";
import { filesOf, holdsFiles } from "./dropped.js";
import { bytes } from "./format.js";
import { followJob } from "./live.js";
import { modelPath, schemaTable } from "./model_parts.js";
import { problemNotice } from "./problem.js";
import { upload } from "./upload.js";
import { sendingView, workingView } from "./working.js";

/** Let `drop`, with its button and input, take one file; `chosen(file)` is told which. */
export function fileTarget(drop, chosen) {
  const input = find('input[type="file"]', drop);
  const take = ([file]) => {
    if (!file) return;
    say(find("p", drop), file.name);
    say(find(".hint", drop), bytes(file.size));
    announce(`${file.name} chosen`);
    chosen(file);
  };
  find("button", drop).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = ""; // the same file may be chosen again after it was changed
  });
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      if (!holdsFiles(event.dataTransfer)) return;
      event.preventDefault();
      drop.dataset.over = "yes";
    });
  }
  drop.addEventListener("dragleave", ({ relatedTarget }) => drop.contains(relatedTarget) || delete drop.dataset.over);
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    delete drop.dataset.over;
    take(await filesOf(event.dataTransfer));
  });
}

/**
 * Send `file` to the model `id` and have it validated, showing in `place` how far that is; resolves to the model, which
 * is `error` where the file cannot be served.
 */
export async function sendFile(id, file, place) {
  const form = new FormData();
  form.append("file", file, file.name);
  const sending = sendingView(file);
  place.replaceChildren(sending.node);
  try {
    const { body } = await upload(`${modelPath(id)}/upload?validate=true`, { body: form, headers: { Prefer: "wait=1" }, sent: sending.show });
    if (body.validation.valid === null) {
      const working = workingView(body.validation.job_id);
      place.replaceChildren(working.node);
      await followJob(body.validation.job_id, { changed: working.show, trouble: working.trouble });
    }
    return (await call(modelPath(id))).body;
  } catch (problem) {
    if (problem.code !== "invalid_model") throw problem;
    const { body: model } = await call(modelPath(id));
    if (model.status !== "error") throw problem; // refused before it was kept
    return model;
  }
}

/** What became of it: ready, with its schema, or why it cannot be served. */
export function validationView(model, { link = true } = {}) {
  const title = `${model.name} ${model.version}`;
  if (model.status !== "ready") {
    announce(`${title} cannot be served`);
    const why = model.error_message ?? `It is ${model.status}.`;
    const next = "Nothing of it is served. Choose another file: this version takes it.";
    return [problemNotice({ title: `${title} cannot be served`, detail: `${why} ${next}`, code: "invalid_model" })];
  }
  announce(`${title} is ready`);
  const notice = el(
    "div",
    { class: "notice good" },
    el("h2", {}, `${title} is ready`),
    (model.found?.notes ?? []).map((note) => el("p", {}, note)),
    link ? el("p", {}, el("a", { href: `/models/${model.id}` }, "Ask it")) : null,
  );
  return [notice, schemaTable(model)].filter(Boolean);
}
