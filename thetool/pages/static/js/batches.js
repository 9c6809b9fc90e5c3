/** Batches: jobs that were made by one request, and how they stand together. */

import { call } from "./api.js";
import { over } from "./live.js";

const STATES = ["queued", "running", "completed", "failed", "cancelled"];
const known = new Map(); // by id, what the service said last

/** The jobs of a page with those of a batch next to each other: `[{ batchId, jobs }]`, in the order of the first of each. */
export function grouped(jobs) {
  const groups = new Map();
  for (const job of jobs) {
    const key = job.batch_id ?? job.id;
    if (!groups.has(key)) groups.set(key, { batchId: job.batch_id, jobs: [] });
    groups.get(key).jobs.push(job);
  }
  return [...groups.values()];
}

/** How a batch stands: as the service said last, and before that by those of its `jobs` that are on the page. */
export function batchOf(id, jobs) {
  if (known.has(id)) return known.get(id);
  const counts = Object.fromEntries(STATES.map((state) => [state, jobs.filter((job) => job.status === state).length]));
  const done = jobs.reduce((sum, job) => sum + (over(job) ? 1 : job.progress), 0);
  return { id, total: jobs.length, ...counts, progress: done / jobs.length };
}

/** Ask how the batches among these groups stand; not again for those that are known to be finished. */
export async function askForBatches(groups, signal) {
  const open = groups.filter(({ batchId, jobs }) => batchId && (!isFinished(batchId) || !jobs.every(over)));
  await Promise.all(
    open.map(async ({ batchId: id }) => {
      try {
        const { body } = await call(`/api/v1/batches/${encodeURIComponent(id)}`, { signal });
        known.set(id, { ...body, id });
      } catch (error) {
        if (error.name !== "Problem") throw error;
        known.delete(id); // then what is on the page is counted
      }
    }),
  );
}

const isFinished = (id) => known.has(id) && known.get(id).queued + known.get(id).running === 0;

/** Forget what was known, because somebody did something to a batch. */
export const forgetBatches = () => known.clear();
