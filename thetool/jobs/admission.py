"""Whether another job may be made now: not when too many wait, and not when nobody could run it."""

from __future__ import annotations

import time
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

    def require_room(self, limit: int) -> None:
        """Raise QueueFull when `limit` jobs wait. Jobs of other processes may slip past while a count is good."""
        estimate = self._counted + self._admitted
        age = time.monotonic() - self._counted_at
        if estimate >= limit or age > (FAR_SECONDS if estimate < limit / 2 else NEAR_SECONDS):
            self._counted, self._counted_at, self._admitted = self.queue.depth(limit), time.monotonic(), 0
        if self._counted >= limit:
            raise QueueFull(
                f"{self._counted:,} jobs are waiting already; try again in a few seconds.",
                headers={"Retry-After": RETRY_AFTER_SECONDS},
                depth=self._counted,
            )
        self._admitted += 1

    def require_quota(self, owner_id: UUID, quota: int) -> None:
        """Raise QuotaExceeded when the owner has `quota` unfinished jobs."""
        if self.queue.unfinished_of(owner_id, quota) >= quota:
            raise QuotaExceeded(
                f"This key allows {quota:,} unfinished jobs at a time; wait for some to finish, or cancel them.",
                headers={"Retry-After": RETRY_AFTER_SECONDS},
            )

    def require_worker(self, kind: str) -> None:
        """Raise NoWorker when no live worker takes the kind."""
        age = time.monotonic() - self._offered_at
        if age > (OFFERED_SECONDS if kind in self._offered else MISSING_SECONDS):
            self._offered, self._offered_at = self.queue.offered_kinds(), time.monotonic()
        if kind not in self._offered:
            raise NoWorker(
                f"No live worker takes jobs of the kind {kind}; they run where a worker that offers it is started.",
                headers={"Retry-After": RETRY_AFTER_SECONDS},
            )


_admission: Admission | None = None


def admit(job: NewJob, job_quota: int | None) -> None:
    """Raise QueueFull, QuotaExceeded or NoWorker when the job may not be made now."""
    global _admission
    queue = local.queue
    admission = _admission
    if admission is None or admission.queue is not queue:
        admission = _admission = Admission(queue)
    admission.require_room(local.settings.max_queued_jobs)
    if job_quota is not None:
        admission.require_quota(job.owner_id, job_quota)
    if local.runner is None or not local.runner.takes(job.kind):
        admission.require_worker(job.kind)
