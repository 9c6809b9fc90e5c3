"""Telling the workers that there are new jobs: seldom enough to cost little, and never too late."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from thetool.database.connection import DatabaseUnavailable

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.005
LATE_SECONDS = 0.006
"""A little more than the pause: while jobs keep coming, one of them is to bring the word along. Jobs that come as far
apart as both together are all told of late, and so both are short."""


class Herald:
    """Bounds how often a process that enqueues says so.

    A commit that notifies takes its turn in Postgres and wakes every worker, and a worker that is awake looks until it
    finds nothing: one word serves many jobs. So the enqueue itself tells of its job when the last word was
    `PAUSE_SECONDS` ago; else the next one does, or a thread of this herald when there is none. A word that goes out
    before the job is there is no word: so what is left to the others is owed when the job is in the table.

    Args:
        tell: says that there is work for slots of a sort (queue, runs).
    """

    def __init__(self, tell: Callable[[str, str], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], float] = {}
        self._untold: set[tuple[str, str]] = set()
        self._stirred = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def may_tell(self, queue: str, runs: str) -> bool:
        """Whether an enqueue should say so itself, and so for what is owed; if not, or if it adds nothing: `owe`."""
        sort = (queue, runs)
        if time.monotonic() - self._told.get(sort, 0.0) < PAUSE_SECONDS:
            return False
        with self._lock:
            now = time.monotonic()
            if now - self._told.get(sort, 0.0) < PAUSE_SECONDS:
                return False
            self._told[sort] = now
            self._untold.discard(sort)
            return True

    def owe(self, queue: str, runs: str) -> None:
        """There is a new job of which nobody was told: that is said soon."""
        with self._lock:
            at_it = bool(self._untold)
            self._untold.add((queue, runs))
            if at_it:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="herald", daemon=True)
                self._thread.start()
        self._stirred.set()

    def close(self) -> None:
        """Say what is left to say, and end; what is owed later begins anew."""
        with self._lock:
            thread, self._closing = self._thread, True
        self._stirred.set()
        if thread is not None:
            thread.join()
        with self._lock:
            self._thread, self._closing = None, False
            left = bool(self._untold)
        if left:  # by who came while it ended
            self._tell_late(0.0)

    def _run(self) -> None:
        while not self._closing:
            self._stirred.wait()
            self._stirred.clear()
            while self._untold and not self._closing:
                time.sleep(LATE_SECONDS)
                self._tell_late(LATE_SECONDS)
        self._tell_late(0.0)

    def _tell_late(self, seconds: float) -> None:
        """Tell of what was enqueued since the last word on it, where that is so long ago."""
        now = time.monotonic()
        with self._lock:
            late = {sort for sort in self._untold if now - self._told.get(sort, 0.0) >= seconds}
            self._untold -= late
            self._told.update(dict.fromkeys(late, now))
        try:
            for queue, runs in late:
                self._tell(queue, runs)
        except DatabaseUnavailable as error:
            log.info("workers find new jobs by looking while the database is away", error=str(error))
        except Exception:
            log.exception("workers were not told of new jobs")
