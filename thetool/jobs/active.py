"""The jobs that run in this process now."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from uuid import UUID

from thetool.jobs.claims import Claim, Wish
from thetool.jobs.context import Interrupted, JobContext
from thetool.jobs.slots import Slot


class Running:
    """One job on its way.

    `fraction`, `stage` and `message` are what it last said of its progress, `untold` whether that is yet to be stored.
    `wish` is what its slot would do after it, `next` the claim that came of that.
    """

    def __init__(self, claim: Claim, slot: Slot) -> None:
        self.claim = claim
        self.slot = slot
        self.began = time.monotonic()
        self.deadline = self.began + claim.timeout
        self.abandoned = False
        self.fraction = 0.0
        self.stage: str | None = None
        self.message: str | None = None
        self.untold = False
        self.last_told = 0.0
        self.wish: Wish | None = None
        self.next: Claim | None = None
        self.context: JobContext

    def interrupt(self, how: type[Interrupted]) -> None:
        """Make the job stop when it next can."""
        self.context.interrupt(how)


class ActiveJobs:
    """The running jobs by their id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[UUID, Running] = {}

    def add(self, running: Running) -> None:
        """A job begins."""
        with self._lock:
            self._jobs[running.claim.id] = running

    def remove(self, running: Running) -> None:
        """A job ended; harmless twice."""
        with self._lock:
            if self._jobs.get(running.claim.id) is running:
                del self._jobs[running.claim.id]

    def all(self) -> list[Running]:
        """Those that run now."""
        with self._lock:
            return list(self._jobs.values())

    def interrupt(self, job_ids: Iterable[UUID], how: type[Interrupted]) -> None:
        """Make these jobs stop, as far as they run here."""
        with self._lock:
            running = [self._jobs[job_id] for job_id in job_ids if job_id in self._jobs]
        for job in running:
            job.interrupt(how)

    def __len__(self) -> int:
        return len(self._jobs)
