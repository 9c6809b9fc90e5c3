"""Making a job: in the caller's transaction, or at once in this very process when a slot is free."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Unpack, get_args
from uuid import UUID

from pydantic import BaseModel

from thetool.jobs import idempotency as keys
from thetool.jobs.admission import NoWorker, QueueFull, QuotaExceeded, admit
from thetool.jobs.claims import Claim, NewJob
from thetool.jobs.groups.equals import enqueue_replacing
from thetool.jobs.idempotency import AnsweredWithoutJob, Idempotency
from thetool.jobs.local import local
from thetool.jobs.options import SubmitOptions, new_job
from thetool.jobs.registry import JobKind, get_kind
from thetool.jobs.slots import Slot
from thetool.web.problems import Conflict

__all__ = ["Dedupe", "DuplicateJob", "NoWorker", "QueueFull", "QuotaExceeded", "Submission", "submit"]

TRIES = 5

Dedupe = Literal["existing", "reject", "replace", "debounce"]
"""What a second job with the `dedupe_key` of an unfinished one means.

`existing`: the earlier job is given. `reject`: DuplicateJob. `replace`: a queued one gets the new parameters, kind,
options and all its attempts, and keeps its place unless `run_at` is given. `debounce`: the same, and it is put off to
the new `run_at`, never brought forward. A running one (or one that waits for its children) is given by `existing` and
named by `reject`; for the other two it has begun with what is old by now, so it gives the key up, goes on, and the new
job is queued beside it.
"""


class DuplicateJob(Conflict):
    """An unfinished job of yours has this `dedupe_key` already; `job_id` names it."""

    code = "duplicate_job"
    title = "There is such a job already"


@dataclass(frozen=True, slots=True)
class Submission:
    """The job that a submit led to.

    `created` is false where an earlier one is given again; `replaced` is true where that got the new parameters.
    """

    job_id: UUID
    created: bool
    replaced: bool = False


def submit(
    kind: str,
    params: BaseModel,
    *,
    owner_id: UUID,
    dedupe: Dedupe = "existing",
    idempotency: Idempotency | None = None,
    job_quota: int | None = None,
    cursor: Any = None,
    **options: Unpack[SubmitOptions],
) -> Submission:
    """Make a job. It runs at once in this process when a slot is free here and nothing older is ready.

    Args:
        kind: a registered kind.
        params: its parameters, an instance of the model that its handler takes.
        owner_id: whose job it is.
        dedupe: what happens while an unfinished job has `dedupe_key`.
        idempotency: the same key and request give the first job again, whatever became of it.
        job_quota: how many unfinished jobs the owner may have (`Caller.job_quota`).
        cursor: a psycopg2 cursor (or one with the same `execute` and `fetchall`) whose transaction the job is made in;
            then it starts when that is committed, by way of the queue. Whoever submits with the same key meanwhile
            waits for that, so commit soon.
        options: see `SubmitOptions`.

    Raises:
        UnknownKind, ValidationFailed: nobody registered the kind; the parameters cannot be stored (422).
        TooLarge: there is too much of them (413).
        QueueFull, QuotaExceeded: `MAX_QUEUED_JOBS` jobs wait, or the owner has `job_quota` unfinished ones (429).
        NoWorker: no live worker takes the kind (503).
        DuplicateJob, IdempotencyConflict: see `dedupe`; the key was used for another request (409).
        DatabaseUnavailable: Postgres is away.
    """
    known = get_kind(kind)
    job = new_job(known, params, owner_id, options)
    if idempotency is not None:
        job = replace(job, idempotency_key=idempotency.key)
    _check(dedupe, job)
    admit([job], job_quota, cursor=cursor)
    if cursor is not None:
        return _Insertion(job, dedupe, idempotency, cursor=cursor).made().submission
    return _submit_now(job, known, dedupe, idempotency)


def _check(dedupe: Dedupe, job: NewJob) -> None:
    if dedupe not in get_args(Dedupe):
        raise ValueError(f"dedupe is one of {', '.join(get_args(Dedupe))}, not {dedupe!r}")
    if dedupe != "existing" and job.dedupe_key is None:
        raise ValueError(f"dedupe={dedupe!r} needs a dedupe_key")
    if dedupe == "debounce" and job.run_at is None:
        raise ValueError("dedupe='debounce' needs a run_at: until when the job is put off")


def _submit_now(job: NewJob, kind: JobKind, dedupe: Dedupe, idempotency: Idempotency | None) -> Submission:
    """Make the job in a transaction of its own, and run it here if a slot is free."""
    slot = _free_slot(kind) if job.run_at is None and dedupe in ("existing", "reject") else None
    made = None
    local.waiters.expect(job.id)
    try:
        made = _inserted(_Insertion(job, dedupe, idempotency, slot=slot))
    finally:
        if made is None or not made.submission.created:
            local.waiters.forget(job.id)
        if slot is not None and (made is None or made.claim is None):
            slot.release()
    if slot is not None and made.claim is not None:
        slot.hand(made.claim)
    elif local.runner is not None and (group := local.runner.group_of(kind.queue, kind.runs)):
        group.wake()
    return made.submission


@dataclass(frozen=True, slots=True)
class _Made:
    """What the insert gave: `claim` is set when the job is ours to run at once."""

    submission: Submission
    claim: Claim | None = None


def _inserted(insertion: _Insertion) -> _Made:
    """Insert it for good: one whose commit failed is not made, as far as anybody here knows."""
    if insertion.idempotency is None:
        return insertion.made()
    with local.queue.connection.transaction():
        return insertion.made()


def _free_slot(kind: JobKind) -> Slot | None:
    runner = local.runner
    group = runner.group_of(kind.queue, kind.runs) if runner and runner.takes(kind.name) else None
    return group.reserve() if group else None


@dataclass(frozen=True, slots=True)
class _Insertion:
    """One job on its way into the table, already claimed where there is a slot."""

    job: NewJob
    dedupe: Dedupe
    idempotency: Idempotency | None
    slot: Slot | None = None
    cursor: Any = None

    def made(self) -> _Made:
        """Insert the job, together with its idempotency key where it has one; or find the one that it leads to."""
        if self.idempotency is None:
            return self._unless_equal()
        for _ in range(TRIES):
            first = keys.remember(self.idempotency, job_id=self.job.id, cursor=self.cursor)
            if first is None or (first.gone and keys.take_over(self.idempotency, first, self.job.id, self.cursor)):
                made = self._unless_equal()
                if not made.submission.created:
                    keys.point_to(self.idempotency, made.submission.job_id, cursor=self.cursor)
                return made
            if first.gone:
                continue
            if first.job_id is None:
                raise AnsweredWithoutJob(first)
            self.idempotency.on_replay()
            return _Made(Submission(first.job_id, created=False))
        raise Conflict("Jobs with this key come and go too fast; try again.")

    def _unless_equal(self) -> _Made:
        """Insert the job; or do with the one that has its `dedupe_key` what `dedupe` says."""
        for _ in range(TRIES):
            made = self._tried()
            if made is not None:
                return made
            if self.dedupe in ("replace", "debounce"):
                continue
            existing = local.queue.find_dedupe(str(self.job.dedupe_key), cursor=self.cursor)
            if existing is None:
                continue
            if self.dedupe == "reject":
                raise DuplicateJob(f"The job {existing} has this dedupe_key.", job_id=str(existing))
            return _Made(Submission(existing, created=False))
        raise Conflict("Jobs with this dedupe key come and go too fast; try again.")

    def _tried(self) -> _Made | None:
        job, queue, runner = self.job, local.queue, local.runner
        made = Submission(job.id, created=True)
        if self.dedupe in ("replace", "debounce"):
            job_id = enqueue_replacing(queue, job, put_off=self.dedupe == "debounce", cursor=self.cursor)
            if job_id is None:
                return None
            return _Made(made if job_id == job.id else Submission(job_id, created=False, replaced=True))
        if runner is not None and self.slot is not None:
            claim = queue.enqueue_claimed(job, runner.wish(job.queue, job.runs))
            return None if claim is None else _Made(made, claim if isinstance(claim, Claim) else None)
        return _Made(made) if queue.enqueue(job, cursor=self.cursor) else None
