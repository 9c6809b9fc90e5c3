/** Copy buttons, which also work on a plain-http address where browsers hide the clipboard from scripts. */

import { el, icon, say } from "./dom.js";
import { announce } from "./announce.js";

/** A button that copies what `text()` gives; it shows only an icon unless `word` is given. */
export function copyButton(text, label, word = null) {
  const sign = icon("copy");
  const caption = word ? el("span", {}, word) : null;
  const button = el(
    "button",
    { type: "button", class: "button bare small", "aria-label": label, title: label },
    sign,
    caption,
  );
  button.addEventListener("click", async () => {
    const copied = await copy(text(), button);
    announce(copied ? "Copied" : "This browser would not copy; select the text and copy it yourself");
    button.firstChild.replaceWith(icon(copied ? "check" : "alert"));
    if (caption) say(caption, copied ? "Copied" : word);
    setTimeout(() => {
      button.firstChild.replaceWith(icon("copy"));
      if (caption) say(caption, word);
    }, 1600);
  });
  return button;
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text, button); // no clipboard without https, or not allowed
  }
}

function copyBySelection(text, button) {
  const field = el("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1" });
  field.value = text;
  (button.closest("dialog") ?? document.body).append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  button.focus();
  return copied;
}
