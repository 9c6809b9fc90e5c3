"""Batches: several jobs that were asked for together. A batch has no row: it is the jobs that have its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel

from thetool.database.ids import new_id
from thetool.jobs.admission import admit
from thetool.jobs.local import local
from thetool.jobs.options import JobOptions, new_job
from thetool.jobs.queue import Queue
from thetool.jobs.registry import get_kind

MOST_FAILURES = 100


@dataclass(frozen=True)
class Wanted:
    """One job of a batch that is to be made."""

    kind: str
    params: BaseModel
    options: JobOptions = field(default_factory=JobOptions)


@dataclass(frozen=True)
class MadeBatch:
    """A new batch; `job_ids` are in the order in which the jobs were wanted."""

    id: UUID
    job_ids: tuple[UUID, ...]


def submit_many(
    wanted: Sequence[Wanted],
    *,
    owner_id: UUID,
    batch_id: UUID | None = None,
    correlation_id: str | None = None,
    job_quota: int | None = None,
    cursor: Any = None,
) -> MadeBatch:
    """Make several jobs in one statement: all of them or none. Each runs, fails and is cancelled by itself.

    Args:
        wanted: the jobs.
        owner_id: whose they are.
        batch_id: adds them to a batch; None begins one.
        correlation_id, job_quota, cursor: as for `submit()`.

    Raises:
        UnknownKind, ValidationFailed, TooLarge, QueueFull, QuotaExceeded, NoWorker, DatabaseUnavailable: as `submit()`.
    """
    batch_id = batch_id or new_id()
    jobs = [
        replace(
            new_job(get_kind(one.kind), one.params, owner_id, one.options),
            batch_id=batch_id,
            correlation_id=correlation_id,
        )
        for one in wanted
    ]
    admit(jobs, job_quota, cursor=cursor)
    local.queue.enqueue_many(jobs, cursor=cursor)
    if local.runner is not None and cursor is None:
        local.runner.wake()
    return MadeBatch(batch_id, tuple(job.id for job in jobs))


class FailedJob(NamedTuple):
    """One job of a batch that failed, and why."""

    job_id: UUID
    title: str | None
    code: str | None
    message: str | None


@dataclass(frozen=True)
class BatchState:
    """How a batch stands. `progress` is 0 to 1 over all jobs; `finished_at` is set when none is unfinished."""

    id: UUID
    total: int
    queued: int
    running: int
    completed: int
    failed: int
    cancelled: int
    progress: float
    created_at: datetime
    finished_at: datetime | None
    failures: tuple[FailedJob, ...] = ()

    @property
    def status(self) -> str:
        """`queued`, `running`, `completed` (all are), `failed` or `cancelled` (none is completed), or `partial`."""
        if self.queued + self.running:
            return "queued" if self.queued == self.total else "running"
        if self.completed == self.total:
            return "completed"
        if self.completed:
            return "partial"
        return "failed" if self.failed else "cancelled"


def state_of(queue: Queue, batch_id: UUID, owner_id: UUID | None) -> BatchState | None:
    """How a batch stands, with the first 100 failures; None where there is none of this owner (None: of anybody)."""
    whose = {"batch_id": batch_id, "owner_id": owner_id}
    (row,) = queue.connection.run("batch", whose)
    state = BatchState(batch_id, *row)
    if not state.total:
        return None
    if not state.failed:
        return state
    failed = queue.connection.run("batch_failures", {**whose, "limit": MOST_FAILURES})
    return replace(state, failures=tuple(FailedJob(*one) for one in failed))


def cancel_batch(queue: Queue, batch_id: UUID, owner_id: UUID | None) -> int:
    """Cancel what is unfinished of a batch, or ask its workers to stop; gives how many jobs that concerns."""
    unfinished = queue.connection.run("batch_unfinished", {"batch_id": batch_id, "owner_id": owner_id})
    return len(queue.cancel_all([job_id for (job_id,) in unfinished]))
