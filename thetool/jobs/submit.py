"""Making a job: in the caller's transaction, or at once in this very process when a slot is free."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from thetool.jobs.idempotency import Idempotency
from thetool.web.problems import Problem


class QueueFull(Problem):
    """More jobs wait than the service takes; `depth` says how many."""

    status = 429
    code = "queue_full"
    title = "Too many jobs are waiting"


class NoWorker(Problem):
    """No live worker can run jobs of this kind."""

    status = 503
    code = "no_worker"
    title = "No worker can run this just now"


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
    cursor: Any = None,
) -> Submission:
    """Make a job."""
    raise NotImplementedError
