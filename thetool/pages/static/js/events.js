/** A job's events as they happen (server-sent events), for as long as the tab is seen. */

const QUIET = 60_000; // a connection may die without a word; after so long without an event it is made anew

/**
 * Tell `changed(job)` what happens to a job, beginning with how it is. Resolves when the job is over, the stream ends or
 * breaks, or the tab is hidden: to whether anything was heard. Whoever called looks for himself then; the job whole, with
 * its result, is not in the events.
 */
export function listen(job, { changed, signal }) {
  return new Promise((resolve) => {
    const source = new EventSource(`/api/v1/jobs/${encodeURIComponent(job.id)}/events`);
    let now = job;
    let heard = false;
    let quiet = 0;
    const end = () => {
      source.close();
      clearTimeout(quiet);
      removeEventListener("offline", end);
      document.removeEventListener("visibilitychange", look);
      signal?.removeEventListener("abort", end);
      resolve(heard);
    };
    const look = () => document.hidden && end();
    const tell = (news) => {
      heard = true;
      clearTimeout(quiet);
      quiet = setTimeout(end, QUIET);
      now = { ...now, ...news };
      changed(now);
    };
    for (const name of ["snapshot", "status"]) {
      source.addEventListener(name, ({ data }) => {
        const { links, ...state } = JSON.parse(data);
        tell(state);
      });
    }
    source.addEventListener("progress", ({ data }) => {
      const { progress, stage, message } = JSON.parse(data);
      tell({ progress, stage, message });
    });
    for (const name of ["completed", "failed", "cancelled", "problem", "error"]) source.addEventListener(name, end);
    document.addEventListener("visibilitychange", look);
    addEventListener("offline", end);
    signal?.addEventListener("abort", end);
  });
}
