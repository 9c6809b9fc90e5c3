/** A large request, with how far it has been sent (which `fetch` does not tell). */

import { problemOf, unreachable } from "./api.js";

/** POST a form, telling `sent(fraction)` on the way; resolves to `{ body, status }`. Throws Problem, or AbortError. */
export function upload(path, { body, headers = {}, sent = () => {}, signal }) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("POST", path);
    request.responseType = "text";
    for (const [name, value] of Object.entries({ Accept: "application/json", ...headers })) {
      request.setRequestHeader(name, value);
    }
    request.upload.addEventListener("progress", ({ loaded, total }) => total && sent(loaded / total));
    request.addEventListener("loadend", () => signal?.removeEventListener("abort", stop));
    request.addEventListener("abort", () => reject(signal.reason));
    request.addEventListener("error", () => reject(unreachable()));
    request.addEventListener("load", () => {
      const answer = read(request);
      if (request.status >= 400) reject(problemOf(request.status, request.getResponseHeader("X-Request-ID"), answer));
      else resolve({ body: answer, status: request.status });
    });
    signal?.addEventListener("abort", stop);
    request.send(body);
  });
}

function read(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return null; // a proxy's page
  }
}
