/** A question before something is done that cannot be undone. */

import { el } from "./dom.js";

/**
 * Ask, and resolve to whether the person chose `action`; Escape and `keep` say no. With `choice`, a field such as a
 * select, yes is told by its value.
 */
export function confirmed({ title, text, action, keep = "Keep it", choice = null }) {
  const no = el("button", { class: "button", value: "no", autofocus: true }, keep);
  const yes = el("button", { class: "button danger", value: "yes" }, action);
  const dialog = el(
    "dialog",
    { "aria-labelledby": "question", "aria-describedby": "consequence" },
    el("h2", { id: "question" }, title),
    el("p", { id: "consequence", class: "quiet" }, text),
    choice,
    el("form", { method: "dialog", class: "row" }, no, yes),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      const sure = dialog.returnValue === "yes";
      resolve(sure && choice ? choice.querySelector("select").value : sure);
    });
  });
}
