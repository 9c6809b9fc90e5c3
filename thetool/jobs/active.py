"""The jobs that run in this process now."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable
from uuid import UUID

from thetool.jobs.claims import Claim
from thetool.jobs.context import Interrupted, JobContext
from thetool.jobs.slots import Slot

WRITE_SECONDS = 3600.0
"""For so long the end of a job may wait to be written, while Postgres is away; a callback that never comes to an end
is given up then."""


class Running:
    """One job on its way.

    `fraction`, `stage` and `message` are what it last said of its progress, `untold` whether that is yet to be stored.
    `begun_told` is whether listeners heard that it runs. Its `deadline` comes with its beginning: a job that was
    claimed with others waits for its turn.
    """

    def __init__(self, claim: Claim, slot: Slot) -> None:
        self.claim = claim
        self.slot = slot
        self.began = time.monotonic()
        self.seconds = 0.0
        self.deadline = math.inf
        self.abandoned = False
        self.fraction = 0.0
        self.stage: str | None = None
        self.message: str | None = None
        self.untold = False
        self.last_told = 0.0
        self.begun_told = False
        self.context: JobContext

    def begin(self) -> None:
        """Its turn has come."""
        self.began = time.monotonic()
        self.deadline = self.began + self.claim.timeout

    def end(self) -> None:
        """Its handler is done, which took `seconds`: that its end waits for Postgres is no time-out."""
        now = time.monotonic()
        self.seconds = now - self.began
        self.deadline = now + WRITE_SECONDS

    def interrupt(self, how: type[Interrupted]) -> None:
        """Make the job stop when it next can."""
        self.context.interrupt(how)


class ActiveJobs:
    """The running attempts by their tokens: one that lost its job may run beside the next attempt at the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attempts: dict[UUID, Running] = {}

    def add(self, running: Running) -> None:
        """A job begins."""
        with self._lock:
            self._attempts[running.claim.token] = running

    def remove(self, *ended: Running) -> None:
        """Jobs ended; harmless twice."""
        with self._lock:
            for running in ended:
                self._attempts.pop(running.claim.token, None)

    def all(self) -> list[Running]:
        """Those that run now."""
        with self._lock:
            return list(self._attempts.values())

    def interrupt(self, job_ids: Iterable[UUID], how: type[Interrupted]) -> None:
        """Make these jobs stop, as far as they run here."""
        wanted = frozenset(job_ids)
        for job in self.all():
            if job.claim.id in wanted:
                job.interrupt(how)

    def __len__(self) -> int:
        return len(self._attempts)
