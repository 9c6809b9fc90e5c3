"""The open streams of a process: how many there may be, and their end when the process leaves."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from uuid import UUID

from thetool.config import Settings
from thetool.jobs.events.fanout import Fanout
from thetool.jobs.events.stream import Replay, Stream
from thetool.web.problems import Problem

RETRY_AFTER_SECONDS = 5
LONGEST_SECONDS = 3600.0


class TooManyStreams(Problem):
    """As many streams are open as this worker has threads to spare (`MAX_STREAMS`); `open` says how many."""

    status = 503
    code = "too_many_streams"
    title = "Too many streams are open"


class Streams:
    """The streams of one process.

    Each holds a request thread, as each waiting caller does. Together they leave a tenth of the threads free, so that
    the others are always answered.

    Args:
        fanout: who tells them what happens.
        replay: gives what a job said between two events.
        waiting: how many callers wait in this process for a job.
    """

    def __init__(self, fanout: Fanout, replay: Replay, waiting: Callable[[], int]) -> None:
        self.fanout = fanout
        self.dismissed = False
        self._replay = replay
        self._waiting = waiting
        self._lock = threading.Lock()
        self._open: set[Stream] = set()

    @property
    def count(self) -> int:
        """How many are open now."""
        return len(self._open)

    def open(self, job_id: UUID, settings: Settings, *, after: int | None, seconds: float = LONGEST_SECONDS) -> Stream:
        """Begin to tell of a job; whoever gets the stream must close it.

        Args:
            job_id: of the job.
            settings: how many streams and threads there are.
            after: the last event that the listener has; None: it wants only what happens from now on.
            seconds: how long the stream lasts at most.

        Raises:
            TooManyStreams: no thread is left for it (503).
        """
        until = time.monotonic() + min(seconds, LONGEST_SECONDS)
        stream = Stream(job_id, after=after, until=until, replay=self._replay, leave=self._leave)
        with self._lock:
            if not self._has_room(settings):
                stream.mailbox.close()
                raise TooManyStreams(
                    f"This worker has {self.count} streams open; try again in a few seconds.",
                    headers={"Retry-After": str(random.randint(1, RETRY_AFTER_SECONDS))},  # noqa: S311  not a secret
                    open=self.count,
                )
            self._open.add(stream)
        self.fanout.join(job_id, stream.mailbox)
        if self.dismissed:
            stream.dismiss()
        return stream

    def dismiss(self) -> None:
        """End all streams, and those that are yet to come at once: the process is about to leave."""
        self.dismissed = True
        with self._lock:
            streams = list(self._open)
        for stream in streams:
            stream.dismiss()

    def _has_room(self, settings: Settings) -> bool:
        held = self.count + self._waiting()
        return self.count < settings.max_streams and held < settings.threads_to_hold

    def _leave(self, stream: Stream) -> None:
        self.fanout.leave(stream.job_id, stream.mailbox)
        with self._lock:
            self._open.discard(stream)
