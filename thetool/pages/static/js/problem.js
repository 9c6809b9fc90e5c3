/** A problem as people see it: what went wrong, what exactly, and the request id to quote. */

import { el } from "./dom.js";
import { copyButton } from "./clipboard.js";

/** The notice for `error`, a Problem or anything else that was thrown. */
export function problemNotice(error) {
  const title = error.title ?? "Something went wrong in this page";
  const detail = error.detail ?? (error.title ? null : String(error.message ?? error));
  const errors = error.errors ?? [];
  return el(
    "div",
    { class: "notice", role: "alert", "data-code": error.code },
    el("h2", {}, title),
    detail && detail !== title ? el("p", {}, detail) : null,
    errors.length > 1
      ? el(
          "ul",
          {},
          errors.map(({ field, message }) => el("li", {}, field ? `${field}: ${message}` : message)),
        )
      : null,
    error.status === 401 ? el("p", {}, el("a", { href: signInAddress() }, "Sign in again")) : null,
    error.requestId ? requestLine(error) : null,
  );
}

function requestLine({ requestId, code }) {
  return el(
    "div",
    { class: "row small" },
    el("span", { class: "quiet" }, "Quote this when you ask about it: ", el("code", {}, requestId), ` (${code})`),
    copyButton(() => requestId, "Copy the request id", "Copy"),
  );
}

function signInAddress() {
  return `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
}
