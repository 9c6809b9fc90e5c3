"""Whether more jobs may be made now: not when too many wait, and not when nobody could run them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from thetool.jobs.claims import NewJob
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.web.problems import Problem

RETRY_AFTER_SECONDS = "5"
FAR_SECONDS = 0.25
NEAR_SECONDS = 0.02
OFFERED_SECONDS = 1.0
MISSING_SECONDS = 0.2


class QueueFull(Problem):
    """More jobs wait than the service takes; `depth` says how many."""

    status = 429
    code = "queue_full"
    title = "Too many jobs are waiting"


class QuotaExceeded(Problem):
    """The owner has as many unfinished jobs as the key allows."""

    status = 429
    code = "job_quota_exceeded"
    title = "You have too many unfinished jobs"


class NoWorker(Problem):
    """No live worker can run jobs of this kind."""

    status = 503
    code = "no_worker"
    title = "No worker can run this just now"


class Admission:
    """Asks the database as seldom as it can: far from the limit a count is good for a quarter of a second."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self._counted = 0
        self._counted_at = 0.0
        self._admitted = 0
        self._offered: frozenset[str] = frozenset()
        self._offered_at = 0.0

    def require_room(self, limit: int, more: int = 1, *, cursor: Any = None) -> None:
        """Raise QueueFull when `more` would not fit. Jobs of other processes may slip past while a count is good."""
        estimate = self._counted + self._admitted + more
        age = time.monotonic() - self._counted_at
        if estimate > limit or age > (FAR_SECONDS if estimate < limit / 2 else NEAR_SECONDS):
            ((self._counted,),) = self._ask("depth", {"limit": limit}, cursor)
            self._counted_at, self._admitted = time.monotonic(), 0
        if self._counted + more > limit:
            raise QueueFull(
                f"{self._counted:,} jobs are waiting already; try again in a few seconds.",
                headers={"Retry-After": RETRY_AFTER_SECONDS},
                depth=self._counted,
            )
        self._admitted += more

    def require_quota(self, owner_id: UUID, quota: int, more: int = 1, *, cursor: Any = None) -> None:
        """Raise QuotaExceeded when the owner would have more than `quota` unfinished jobs."""
        ((unfinished,),) = self._ask("unfinished_of", {"owner_id": owner_id, "limit": quota}, cursor)
        if unfinished + more > quota:
            raise QuotaExceeded(
                f"This key allows {quota:,} unfinished jobs at a time; wait for some to finish, or cancel them.",
                headers={"Retry-After": RETRY_AFTER_SECONDS},
            )

    def require_worker(self, kind: str, *, cursor: Any = None) -> None:
        """Raise NoWorker when no live worker takes the kind."""
        age = time.monotonic() - self._offered_at
        if age > (OFFERED_SECONDS if kind in self._offered else MISSING_SECONDS):
            offered = self._ask("offered", {"lease": self.queue.lease}, cursor)
            self._offered, self._offered_at = frozenset(name for (name,) in offered), time.monotonic()
        if kind not in self._offered:
            raise NoWorker(
                f"No live worker takes jobs of the kind {kind}; they run where a worker that offers it is started.",
                headers={"Retry-After": RETRY_AFTER_SECONDS},
            )

    def _ask(self, query: str, values: dict[str, Any], cursor: Any) -> list[Any]:
        """In the caller's transaction where there is one: the process's connection may be waiting for that to end."""
        return self.queue.connection.run(query, values, cursor=cursor)


_admission: Admission | None = None


def is_offered(kind: str) -> bool:
    """Whether a live worker takes jobs of this kind, so that a submit may count on one."""
    try:
        _current().require_worker(kind)
    except NoWorker:
        return False
    return True


def admit(jobs: Sequence[NewJob], job_quota: int | None, *, cursor: Any = None) -> None:
    """Raise QueueFull, QuotaExceeded or NoWorker when these jobs, of one owner, may not be made now."""
    admission = _current()
    admission.require_room(local.settings.max_queued_jobs, len(jobs), cursor=cursor)
    if job_quota is not None and jobs:
        admission.require_quota(jobs[0].owner_id, job_quota, len(jobs), cursor=cursor)
    runner = local.runner
    for kind in {job.kind for job in jobs}:
        if runner is None or not runner.takes(kind):
            admission.require_worker(kind, cursor=cursor)


def admit_again(number: int, owner_id: UUID, job_quota: int | None) -> None:
    """Raise QueueFull or QuotaExceeded when so many finished jobs of an owner may not be put back now."""
    admission = _current()
    admission.require_room(local.settings.max_queued_jobs, number)
    if job_quota is not None:
        admission.require_quota(owner_id, job_quota, number)


def _current() -> Admission:
    """That of this process's queue."""
    global _admission
    queue = local.queue
    admission = _admission
    if admission is None or admission.queue is not queue:
        admission = _admission = Admission(queue)
    return admission
