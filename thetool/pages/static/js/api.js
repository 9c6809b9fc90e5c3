/** Our own HTTP routes, called with the cookie of the sign-in. */

/** What a `application/problem+json` answer says, or that there was no answer. */
export class Problem extends Error {
  constructor({ title, detail, status = 0, code = "unknown", type = null, request_id: requestId = null, errors = [] }) {
    super(detail ?? title);
    Object.assign(this, { name: "Problem", title, detail, status, code, type, requestId, errors });
  }
}

/** Send a request and return `{ body, response }`; `json` is sent as JSON, `body` as it is. Throws Problem. */
export async function call(path, { method = "GET", json, body, headers = {}, signal } = {}) {
  const sent = { Accept: "application/json", ...headers };
  if (json !== undefined) sent["Content-Type"] = "application/json";
  const content = json === undefined ? body : JSON.stringify(json);
  let response;
  try {
    response = await fetch(path, { method, headers: sent, body: content, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  const answer = await read(response);
  if (!response.ok) throw problemOf(response.status, response.headers.get("X-Request-ID"), answer);
  return { body: answer, response };
}

async function read(response) {
  if (!/[/+]json\b/.test(response.headers.get("Content-Type") ?? "")) return null;
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return null;
  }
}

/** The problem that an answer of this status tells of; `answer` is its document, or null where it has none. */
export function problemOf(status, requestId, answer) {
  return new Problem({
    title: `The service answered ${status}`,
    detail: null,
    request_id: requestId,
    ...answer,
    status,
  });
}

/** The problem that nothing was answered at all. */
export function unreachable() {
  return new Problem({
    title: "The service cannot be reached",
    detail: "Nothing was answered. Is it still running? Try again in a moment.",
    code: "unreachable",
  });
}

/** Path and query of an address of ours, which may begin with another name of this service; null for none. */
export function pathOf(address) {
  if (!address) return null;
  const { pathname, search } = new URL(address, location.href);
  return pathname + search;
}
