"""The open streams of a process: how many there may be, and their end when the process leaves."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from uuid import UUID

import structlog

from thetool.config import Settings
from thetool.jobs.events.fanout import Fanout
from thetool.jobs.events.stream import Ended, Listener, Replay, Stream
from thetool.telemetry.metrics import observe_streams
from thetool.web.problems import Problem

RETRY_AFTER_SECONDS = 5
WATCH_SECONDS = 1.0
LOOKS_A_CHECK = 15

log = structlog.get_logger(__name__)


class TooManyStreams(Problem):
    """As many streams are open as this worker has threads to spare (`MAX_STREAMS`); `open` says how many."""

    status = 503
    code = "too_many_streams"
    title = "Too many streams are open"


class Streams:
    """The streams of one process.

    Each holds a request thread, as each waiting caller does. Together they leave a tenth of the threads free, so that
    the others are always answered. While there are any, one thread watches that nobody holds a stream who may not.

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
        self._watch: threading.Thread | None = None

    @property
    def count(self) -> int:
        """How many are open now."""
        return len(self._open)

    def open(self, job_id: UUID, settings: Settings, listener: Listener) -> Stream:
        """Begin to tell of a job; whoever gets the stream must close it.

        Args:
            job_id: of the job.
            settings: how many streams and threads there are.
            listener: who is told.

        Raises:
            TooManyStreams: no thread is left for it (503).
        """
        stream = Stream(job_id, listener, replay=self._replay, leave=self._leave)
        with self._lock:
            if not self._has_room(settings):
                stream.mailbox.close()
                raise TooManyStreams(
                    f"This worker has {self.count} streams open; try again in a few seconds.",
                    headers={"Retry-After": str(random.randint(1, RETRY_AFTER_SECONDS))},  # noqa: S311  not a secret
                    open=self.count,
                )
            self._open.add(stream)
            observe_streams(self.count)
            if self._watch is None:
                self._watch = threading.Thread(target=self._keep_watch, name="stream-watch", daemon=True)
                self._watch.start()
        self.fanout.join(job_id, stream.mailbox)
        if self.dismissed:
            stream.dismiss()
        return stream

    def dismiss(self) -> None:
        """End all streams, and those that are yet to come at once: the process is about to leave."""
        self.dismissed = True
        for stream in self._all():
            stream.dismiss()

    def look(self, now: float, *, check: bool) -> None:
        """Break off those that are stuck at `now` (`time.monotonic()`); `check`: end those that may not go on."""
        for stream in self._all():
            if stream.stuck(now):
                log.info("a stream is cut off: its listener does not read", job_id=str(stream.job_id))
                stream.cut()
            elif check and not stream.listener.may_go_on():
                stream.dismiss(Ended.KEY)

    def _keep_watch(self) -> None:
        """Look every second; ends when no stream is open any more."""
        looks = 0
        while True:
            time.sleep(WATCH_SECONDS)
            with self._lock:
                if not self._open:
                    self._watch = None
                    return
            looks += 1
            try:
                self.look(time.monotonic(), check=looks % LOOKS_A_CHECK == 0)
            except Exception:
                log.exception("streams could not be looked after")

    def _all(self) -> list[Stream]:
        with self._lock:
            return list(self._open)

    def _has_room(self, settings: Settings) -> bool:
        held = self.count + self._waiting()
        return self.count < settings.max_streams and held < settings.threads_to_hold

    def _leave(self, stream: Stream) -> None:
        self.fanout.leave(stream.job_id, stream.mailbox)
        with self._lock:
            self._open.discard(stream)
            observe_streams(self.count)
