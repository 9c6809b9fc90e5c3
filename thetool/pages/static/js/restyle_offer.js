/** Whether anybody can restyle: looked at again and again where nobody can, so that the page is ready by itself. */

import { announce } from "./announce.js";
import { call } from "./api.js";
import { find, say } from "./dom.js";
import { repeat } from "./live.js";

const SECONDS = 3;
const notice = find("#unavailable");
let changed = () => {};
let looking = null;

export const offered = () => notice.hidden;

/** Have `told()` called when that changes. */
export function offer(told) {
  changed = told;
  if (!offered()) look();
}

/** Somebody was told that nobody can. */
export function withdrawn() {
  if (!offered()) return;
  tell(false);
  look();
}

function look() {
  looking = new AbortController();
  const { signal } = looking;
  repeat(async () => {
    try {
      const { body } = await call("/transform/styles", { signal });
      if (!body.available || signal.aborted) return;
    } catch (problem) {
      if (problem.name !== "Problem") throw problem;
      return; // the status line says that the service is away
    }
    looking.abort();
    tell(true);
    announce("Rooms can be restyled now");
  }, SECONDS, signal);
}

function tell(can) {
  notice.hidden = can;
  say(find("#why-not"), can ? "" : "Nobody can restyle just now: see above.");
  changed();
}
