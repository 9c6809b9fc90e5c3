"""The thread that looks at the clock: time-outs, progress that is still untold, polling."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import structlog

from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.active import ActiveJobs, Running
from thetool.jobs.context import Cancelled, TimedOut
from thetool.jobs.events.beginnings import tell_beginnings
from thetool.jobs.queue import Queue
from thetool.jobs.reporting import WRITE_SECONDS, flush

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.05
POLL_SECONDS = 1.5
GRACE_SECONDS = 0.5


class Watcher:
    """Watches the running jobs, and wakes the slots now and then in case a NOTIFY was lost.

    Args:
        queue: the process's queue.
        active: what runs here.
        wake: makes idle slots look.
        abandon: gives up a thread job that does not stop.
        hurry: writes down what waits for a job that takes longer than expected.
    """

    def __init__(
        self,
        queue: Queue,
        active: ActiveJobs,
        *,
        wake: Callable[[], None],
        abandon: Callable[[Running], None],
        hurry: Callable[[float], None],
    ) -> None:
        self._queue = queue
        self._active = active
        self._wake = wake
        self._abandon = abandon
        self._hurry = hurry
        self._stirred = threading.Event()
        self._closing = False
        self._next_poll = 0.0
        self._thread = threading.Thread(target=self._run, name="job-watcher", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._closing = True
        self._stirred.set()
        if self._thread.is_alive():
            self._thread.join()

    def look_in(self, seconds: float) -> None:
        """A job becomes ready then: look for it no later than the next tick after that."""
        self._next_poll = min(self._next_poll, time.monotonic() + seconds)

    def _run(self) -> None:
        while not self._closing:
            self._stirred.wait(TICK_SECONDS)
            self._stirred.clear()
            try:
                self._turn()
            except DatabaseUnavailable as error:
                log.info("the watcher goes on without the database", error=str(error))
            except Exception:
                log.exception("the watcher stumbled")

    def _turn(self) -> None:
        now = time.monotonic()
        running = self._active.all()
        for job in running:
            self._look_at(job, now)
        tell_beginnings(self._queue, running, now)
        if now >= self._next_poll:
            self._next_poll = now + POLL_SECONDS * random.uniform(0.7, 1.3)  # noqa: S311  not a secret
            self._queue.release()
            self._wake()
            if running:
                self._active.interrupt(self._queue.asked_to_cancel([job.claim.id for job in running]), Cancelled)
        for job in running:
            if job.untold and now - job.last_told >= WRITE_SECONDS:
                flush(self._queue, job)
        self._hurry(now)  # last: where it fails, all else has been done

    def _look_at(self, job: Running, now: float) -> None:
        if now < job.deadline:
            return
        job.interrupt(TimedOut)
        if now >= job.deadline + GRACE_SECONDS:
            self._abandon(job)
