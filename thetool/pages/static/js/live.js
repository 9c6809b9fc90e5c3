/**
 * How a page stays up to date: by events, and where there are none to be had, by asking again.
 * Nothing is asked while the tab is hidden.
 */

import { call } from "./api.js";
import { listen } from "./events.js";

const WAIT_SECONDS = 1; // without events, a job's progress is looked at this often
const WITHOUT_EVENTS = 15_000; // so long after a stream that could not be had, the next is tried
const PAUSES = [1000, 2000, 4000, 8000]; // after failures

export const over = (job) => ["completed", "failed", "cancelled"].includes(job.status);

/**
 * Tell `changed(job)` about a job until it is over, and resolve to its last state. A service that is away for a
 * moment is told to `trouble(problem)` and asked again; a problem that will not go away (404, 401) is thrown.
 */
export async function followJob(id, { changed, trouble = () => {}, signal }) {
  let failures = 0;
  let wait = 0;
  let events = 0; // from when on they are tried
  for (;;) {
    await visible(signal);
    const asked = performance.now();
    try {
      const { body: job } = await call(`/api/v1/jobs/${encodeURIComponent(id)}?wait=${wait}`, { signal });
      failures = 0;
      changed(job);
      if (over(job)) return job;
      const tried = asked >= events;
      const heard = tried && (await listen(job, { changed, signal }));
      if (tried && !heard && !document.hidden) events = performance.now() + WITHOUT_EVENTS;
      wait = heard ? 0 : WAIT_SECONDS;
      await pause(Math.max(0, 250 - (performance.now() - asked)), signal);
    } catch (error) {
      if (error.name === "AbortError" || !passing(error)) throw error;
      trouble(error);
      await pause(PAUSES[Math.min(failures++, PAUSES.length - 1)], signal);
    }
  }
}

/** Run `task` now, and again so many seconds after each time that it ended; `task` may return its own number. */
export async function repeat(task, seconds, signal) {
  try {
    for (;;) {
      await visible(signal);
      const own = await task();
      await pause((own ?? seconds) * 1000, signal);
    }
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

/** Whether asking again may help: no answer, too many requests, or a server that is not ready. */
function passing(error) {
  return error.name === "Problem" && (error.status === 0 || error.status === 429 || error.status >= 500);
}

function pause(milliseconds, signal) {
  return settled(signal, (done) => {
    const timer = setTimeout(done, milliseconds);
    return () => clearTimeout(timer);
  });
}

function visible(signal) {
  if (!document.hidden) return Promise.resolve();
  return settled(signal, (done) => {
    const look = () => document.hidden || done();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  });
}

/** A promise that `begin(done)` resolves by `done`, or that the signal aborts; either way what it began is undone. */
function settled(signal, begin) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const end = (settle, value) => {
      undo();
      signal?.removeEventListener("abort", aborted);
      settle(value);
    };
    const aborted = () => end(reject, signal.reason);
    const undo = begin(() => end(resolve));
    signal?.addEventListener("abort", aborted);
  });
}
