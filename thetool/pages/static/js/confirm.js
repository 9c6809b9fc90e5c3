/** A question before something is done that cannot be undone. */

import { el } from "./dom.js";

/** Ask, and resolve to whether the person chose `action`; Escape and `keep` say no. */
export function confirmed({ title, text, action, keep = "Keep it" }) {
  const no = el("button", { class: "button", value: "no", autofocus: true }, keep);
  const yes = el("button", { class: "button danger", value: "yes" }, action);
  const dialog = el(
    "dialog",
    { "aria-labelledby": "question", "aria-describedby": "consequence" },
    el("h2", { id: "question" }, title),
    el("p", { id: "consequence", class: "quiet" }, text),
    el("form", { method: "dialog", class: "row" }, no, yes),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
