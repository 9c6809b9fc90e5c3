"""Making a job: in the caller's transaction, or at once in this very process when a slot is free."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from thetool.database.ids import new_id
from thetool.jobs import idempotency as idempotency_keys
from thetool.jobs.admission import admit
from thetool.jobs.claims import Claim, NewJob
from thetool.jobs.idempotency import Idempotency
from thetool.jobs.local import local
from thetool.jobs.payload import NotStorable, TooLargeToStore, to_json_text
from thetool.jobs.registry import JobKind, get_kind
from thetool.web.problems import TooLarge, ValidationFailed


@dataclass(frozen=True, slots=True)
class Submission:
    """The job that a submit led to; `created` is false where an earlier one is given again."""

    job_id: UUID
    created: bool


def submit(
    kind: str,
    params: BaseModel,
    *,
    owner_id: UUID,
    correlation_id: str | None = None,
    priority: int = 0,
    run_at: datetime | None = None,
    timeout: float | None = None,
    dedupe_key: str | None = None,
    batch_id: UUID | None = None,
    idempotency: Idempotency | None = None,
    job_quota: int | None = None,
    cursor: Any = None,
) -> Submission:
    """Make a job. It runs at once in this process when a slot is free here and nothing older is ready.

    Args:
        kind: a registered kind.
        params: its parameters, an instance of the model that its handler takes.
        owner_id: whose job it is.
        correlation_id: the request's id, for the log lines of the job.
        priority: higher ones first.
        run_at: not before then; knows its zone.
        timeout: seconds of one attempt, in place of the kind's own.
        dedupe_key: while an unfinished job of this owner has it, that job is given in place of a new one.
        batch_id: the batch that it belongs to.
        idempotency: the same key and request give the first job again.
        job_quota: how many unfinished jobs the owner may have (`Caller.job_quota`).
        cursor: a psycopg2 cursor (or one with the same `execute` and `fetchall`) whose transaction the job is made in;
            then it starts when that is committed, by way of the queue.

    Raises:
        UnknownKind: nobody registered the kind (422).
        ValidationFailed: the parameters, or a key, cannot be stored (422); TooLarge when there is too much of them (413).
        QueueFull: `MAX_QUEUED_JOBS` jobs wait already (429).
        QuotaExceeded: the owner has `job_quota` unfinished jobs (429).
        NoWorker: no live worker takes the kind (503).
        IdempotencyConflict: the key was used for another request (409).
        DatabaseUnavailable: Postgres is away.
    """
    known = get_kind(kind)
    job = NewJob(
        id=new_id(),
        kind=kind,
        queue=known.queue,
        params=_params_text(known, params),
        owner_id=owner_id,
        timeout=known.timeout if timeout is None else timeout,
        max_attempts=known.max_attempts,
        correlation_id=correlation_id,
        priority=priority,
        run_at=run_at,
        dedupe_key=None if dedupe_key is None else f"{owner_id}:{dedupe_key}",
        idempotency_key=idempotency and idempotency.key,
        batch_id=batch_id,
    )
    admit(job, job_quota)
    if idempotency is not None:
        return _submit_once(job, known, idempotency, cursor)
    if cursor is None and run_at is None:
        return _submit_here(job, known)
    return _enqueue(job, cursor)


def _submit_here(job: NewJob, kind: JobKind) -> Submission:
    """Run the job in this process if a slot is free and nothing older is ready; else enqueue it."""
    runner = local.runner
    slot = runner.groups[kind.runs].reserve() if runner and kind.queue in runner.queues else None
    if runner is None or slot is None:
        return _enqueue(job, None)
    try:
        kinds = [other.name for other in runner.kinds_of(kind.runs)]
        made = runner.queue.enqueue_claimed(job, worker_id=runner.worker_id, kinds=kinds)
    except BaseException:
        slot.release()
        raise
    if not isinstance(made, Claim):
        slot.release()
        return _existing(job) if made is None else Submission(job.id, created=True)
    local.waiters.expect(job.id)
    slot.hand(made)
    return Submission(job.id, created=True)
