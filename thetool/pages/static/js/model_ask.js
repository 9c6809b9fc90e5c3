/** Asking a model on its page; before it is ready, sending or validating its file. */

import { announce } from "./announce.js";
import { call } from "./api.js";
import { curl, showRequest } from "./curl.js";
import { el, find } from "./dom.js";
import { jsonView } from "./json_view.js";
import { answerView, answerWords } from "./model_answer.js";
import { modelForm } from "./model_form.js";
import { modelPath, takesFile } from "./model_parts.js";
import { fileTarget, sendFile, validationView } from "./model_upload.js";
import { problemNotice } from "./problem.js";

/**
 * What stands first on a model's page: asking it, or what has to come before.
 * @param {object} model as the API tells it
 * @param {{typed: Function, asked: Function, changed: Function, trouble: Function}} told called with the request as it is
 * in the form (null: none yet), after a prediction, after the model became another one, and with what went wrong
 */
export function askingView(model, told) {
  if (model.status === "ready") return [askPanel(model, told)];
  if (takesFile(model)) return [filePanel(model, told)];
  const words = { validating: "The file is being validated.", archived: "It is archived: out of service until it is put back." }[model.status];
  return [el("section", { class: "panel stack tight", "aria-label": "State" }, el("h2", {}, model.status === "archived" ? "Out of service" : "Not ready yet"), el("p", { class: "quiet" }, words))];
}

function askPanel(model, told) {
  const path = `${modelPath(model.id)}/predict`;
  const outcome = el("div", { class: "stack slot", id: "outcome" });
  const changed = (asked) => {
    told.typed(asked);
    if (asked) showRequest(line(path, asked));
  };
  const form = modelForm(model, { changed, ask: (asked) => ask(path, asked, outcome, form).then(told.asked) });
  const description = model.description ? el("p", { class: "quiet wrap" }, model.description) : null;
  return el("section", { class: "stack", "aria-labelledby": "ask-title" }, el("div", { class: "panel stack" }, el("h2", { id: "ask-title" }, "Ask it"), description, form), outcome);
}

const line = (path, { type, text, names = [], query = "" }) => {
  const to = path + query;
  if (text !== undefined) return curl(to, { body: text, type });
  return names.length === 1 && type ? curl(to, { body: `@${names[0][1]}`, type }) : curl(to, { files: names });
};

async function ask(path, asked, outcome, form) {
  const button = find("#ask-it", form);
  button.disabled = true;
  showRequest(line(path, asked));
  try {
    const headers = asked.type ? { "Content-Type": asked.type } : {};
    const { body: answer } = await call(path + (asked.query ?? ""), { method: "POST", body: asked.text ?? asked.body, headers });
    outcome.replaceChildren(answerView(answer));
    find("#raw").replaceChildren(jsonView("Answer", answer));
    announce(answerWords(answer));
  } catch (error) {
    find("#raw").replaceChildren();
    outcome.replaceChildren(problemNotice(error));
  } finally {
    button.disabled = false;
  }
}

/** For a version without a file that can be served: why, and sending one. */
function filePanel(model, told) {
  const outcome = el("div", { class: "stack slot" });
  const drop = el(
    "div",
    { class: "drop target" },
    el("p", { class: "wrap" }, "Drop an ONNX file here"),
    el("p", { class: "hint" }, "It is sent and validated at once."),
    el("button", { type: "button", class: "button small" }, "Choose a file…"),
    el("input", { type: "file", class: "unseen", tabindex: "-1", "aria-label": "ONNX file", accept: ".onnx" }),
  );
  fileTarget(drop, async (file) => {
    try {
      const sent = await sendFile(model.id, file, outcome);
      if (sent.status === "ready") told.changed(sent);
      else outcome.replaceChildren(...validationView(sent, { link: false }));
    } catch (error) {
      outcome.replaceChildren(problemNotice(error));
    }
  });
  if (model.status === "error") outcome.append(...validationView(model, { link: false }));
  const title = { pending: "It has no file yet", uploaded: "Its file is not validated yet", error: "Its file cannot be served" }[model.status];
  const again = model.status === "uploaded" ? el("div", {}, el("button", { type: "button", class: "button main", on: { click: () => validate(model, told) } }, "Validate it")) : null;
  return el("section", { class: "panel stack", "aria-labelledby": "file-title" }, el("h2", { id: "file-title" }, title), again, drop, outcome);
}

async function validate({ id }, told) {
  try {
    await call(`${modelPath(id)}/validate`, { method: "POST", headers: { Prefer: "wait=2" } });
    told.changed((await call(modelPath(id))).body);
  } catch (error) {
    told.trouble(error);
  }
}
