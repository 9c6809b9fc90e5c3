/** The status line at the bottom of every page: is the service well, how much is waiting. */

import { call } from "./api.js";
import { find, say } from "./dom.js";
import { count, counted } from "./format.js";
import { repeat } from "./live.js";

const SECONDS = 5;
const line = find("#status");
const part = (name) => find(`[data-part="${name}"]`, line);

async function look() {
  try {
    show((await call("/status.json")).body);
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    find(".health", line).dataset.state = "bad";
    say(part("health"), problem.title);
    say(part("queue"), "");
    say(part("workers"), "");
  }
}

function show({ trouble, queued, running, workers }) {
  find(".health", line).dataset.state = trouble.length ? "bad" : "ok";
  say(part("health"), trouble.length ? trouble.join("; ") : "All well");
  say(part("queue"), queued === null ? "" : `${count(queued)} waiting · ${count(running)} running`);
  say(part("workers"), workers === null ? "" : counted(workers, "worker"));
}

repeat(look, SECONDS);
