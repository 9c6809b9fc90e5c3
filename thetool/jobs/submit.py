"""Making a job: in the caller's transaction, or at once in this very process when a slot is free."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from thetool.database.ids import new_id
from thetool.jobs.admission import NoWorker, QueueFull, QuotaExceeded, admit
from thetool.jobs.claims import Claim, NewJob
from thetool.jobs.idempotency import Idempotency, IdempotencyConflict, point_to, remember
from thetool.jobs.local import local
from thetool.jobs.payload import NotStorable, TooLargeToStore, clean, to_json_text
from thetool.jobs.registry import JobKind, check_timeout, get_kind
from thetool.jobs.slots import Slot
from thetool.web.problems import Conflict, TooLarge, ValidationFailed

__all__ = ["NoWorker", "QueueFull", "QuotaExceeded", "Submission", "submit"]

DEDUPE_TRIES = 3
DEDUPE_KEY_LIMIT = 255


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
        ValidationFailed: the parameters cannot be stored (422).
        TooLarge: there is too much of them (413).
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
        runs=known.runs,
        params=_params_text(known, params),
        owner_id=owner_id,
        timeout=known.timeout if timeout is None else check_timeout(timeout),
        max_attempts=known.max_attempts,
        correlation_id=correlation_id,
        priority=priority,
        run_at=run_at,
        dedupe_key=None if dedupe_key is None else f"{owner_id}:{clean(dedupe_key, DEDUPE_KEY_LIMIT)}",
        idempotency_key=idempotency.key if idempotency else None,
        batch_id=batch_id,
    )
    admit(job, job_quota)
    if cursor is not None:
        return _insert(job, known, None, cursor, idempotency).submission
    return _submit_now(job, known, idempotency)


def _submit_now(job: NewJob, kind: JobKind, idempotency: Idempotency | None) -> Submission:
    """Make the job in a transaction of its own, and run it here if a slot is free."""
    slot = _free_slot(kind) if job.run_at is None else None
    made = None
    local.waiters.expect(job.id)
    try:
        made = _insert(job, kind, slot, None, idempotency)
    finally:
        if made is None or not made.submission.created:
            local.waiters.forget(job.id)
        if slot is not None and (made is None or made.claim is None):
            slot.release()
    if slot is not None and made.claim is not None:
        slot.hand(made.claim)
    elif local.runner is not None:
        local.runner.groups[kind.runs].wake()
    return made.submission


@dataclass(frozen=True, slots=True)
class _Made:
    """What the insert gave: `claim` is set when the job is ours to run at once."""

    submission: Submission
    claim: Claim | None = None


def _free_slot(kind: JobKind) -> Slot | None:
    runner = local.runner
    return runner.groups[kind.runs].reserve() if runner and kind.queue in runner.queues else None


def _insert(job: NewJob, kind: JobKind, slot: Slot | None, cursor: Any, idempotency: Idempotency | None) -> _Made:
    """Insert the job, together with its idempotency key where it has one; or find the job that has the key."""
    if idempotency is None:
        return _insert_or_find(job, kind, slot, cursor)
    if cursor is not None:
        return _insert_with_key(job, kind, slot, cursor, idempotency)
    with local.queue.connection.transaction():
        return _insert_with_key(job, kind, slot, None, idempotency)


def _insert_with_key(job: NewJob, kind: JobKind, slot: Slot | None, cursor: Any, idempotency: Idempotency) -> _Made:
    first = remember(idempotency, job_id=job.id, cursor=cursor)
    if first is not None:
        if first.job_id is None:
            raise IdempotencyConflict("This key was used for a request that needed no job.")
        return _Made(Submission(first.job_id, created=False))
    made = _insert_or_find(job, kind, slot, cursor)
    if not made.submission.created:
        point_to(idempotency, made.submission.job_id, cursor=cursor)
    return made


def _insert_or_find(job: NewJob, kind: JobKind, slot: Slot | None, cursor: Any) -> _Made:
    """Insert the job, already claimed where there is a slot; or find the one with its `dedupe_key`."""
    for _ in range(DEDUPE_TRIES):
        made = _try_insert(job, kind, slot, cursor)
        if made is not None:
            return made
        existing = local.queue.find_dedupe(str(job.dedupe_key), cursor=cursor)
        if existing is not None:
            return _Made(Submission(existing, created=False))
    raise Conflict("Jobs with this dedupe key come and go too fast; try again.")


def _try_insert(job: NewJob, kind: JobKind, slot: Slot | None, cursor: Any) -> _Made | None:
    runner, queue = local.runner, local.queue
    made = Submission(job.id, created=True)
    if runner is not None and slot is not None:
        claim = queue.enqueue_claimed(job, runner.wish(kind.queue, kind.runs))
        return None if claim is None else _Made(made, claim if isinstance(claim, Claim) else None)
    notify = cursor is not None or runner is None or runner.watcher.may_notify(kind.queue, kind.runs)
    return _Made(made) if queue.enqueue(job, notify=notify, cursor=cursor) else None


def _params_text(kind: JobKind, params: BaseModel) -> str:
    if not isinstance(params, kind.params_model):
        raise TypeError(f"{kind.name} takes {kind.params_model.__name__}, not {type(params).__name__}")
    try:
        return to_json_text(params)
    except TooLargeToStore as error:
        raise TooLarge(f"The parameters cannot be stored. {error}") from error
    except NotStorable as error:
        raise ValidationFailed.of_fields([("", f"The parameters cannot be stored. {error}", "body")]) from error
