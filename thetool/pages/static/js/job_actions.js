/** What can be done to a job. */

import { call } from "./api.js";
import { confirmed } from "./confirm.js";
import { counted } from "./format.js";
import { nameOf } from "./job_parts.js";

const address = ({ id }) => `/api/v1/jobs/${encodeURIComponent(id)}`;

/** Cancel a job: a waiting one at once, a running one at its next step. */
export const cancelJob = (job) => call(`${address(job)}/cancel`, { method: "POST" });

/** Cancel a job if the person is sure; resolves to whether it was asked for. */
export async function askToCancel(job) {
  const text = `${nameOf(job)} stops at its next step, and what it has done so far is thrown away.`;
  const sure = await confirmed({ title: "Cancel this job?", text, action: "Cancel the job", keep: "Let it run" });
  if (sure) await cancelJob(job);
  return sure;
}

/** Delete a finished job if the person is sure; resolves to whether it is gone. */
export async function askToDelete(job) {
  const text = `The record of ${nameOf(job)} goes, with its result. This cannot be undone.`;
  const sure = await confirmed({ title: "Delete this job?", text, action: "Delete the job" });
  if (sure) await call(address(job), { method: "DELETE" });
  return sure;
}

/** Put a job that failed or was cancelled back into the queue, with all its attempts; resolves to true. */
export async function requeueJob(job) {
  await call(`${address(job)}/requeue`, { method: "POST" });
  return true;
}

/** Cancel all unfinished jobs of a batch if the person is sure; resolves to whether it was asked for. */
export async function askToCancelBatch(batch) {
  const text = `${counted(batch.queued + batch.running, "job")} of it stop; what is finished stays.`;
  const sure = await confirmed({ title: "Cancel this batch?", text, action: "Cancel all", keep: "Let it run" });
  if (sure) await call(`/api/v1/batches/${encodeURIComponent(batch.id)}/cancel`, { method: "POST" });
  return sure;
}
