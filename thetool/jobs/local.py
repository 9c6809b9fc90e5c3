"""What this process has of the queue: its connection, its waiters, its streams, its runner. One of each."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from thetool.config import Settings, get_settings
from thetool.database.address import direct_url
from thetool.jobs.events import reading
from thetool.jobs.events.fanout import Fanout
from thetool.jobs.events.streams import Streams
from thetool.jobs.queue import Queue
from thetool.jobs.waiters import Waiters

if TYPE_CHECKING:
    from thetool.jobs.runner import Runner


class Local:
    """The queue as this process sees it.

    Requests have a connection of their own: hundreds of them must not hold up the one by which claims are renewed.
    """

    def __init__(self) -> None:
        self.waiters = Waiters()
        self.streams = Streams(
            Fanout(lambda asked: reading.news(self.queue, self.settings, asked)),
            replay=lambda job_id, after, last: reading.said_between(self.queue, job_id, after, last),
            waiting=lambda: self.waiters.count,
        )
        self.runner: Runner | None = None
        self.release_session: Callable[[], None] = lambda: None
        self._settings: Settings | None = None
        self._queue: Queue | None = None
        self._lock = threading.Lock()

    @property
    def settings(self) -> Settings:
        """The settings in use: the runner's, else those of `configure()`, else the environment's."""
        return self.runner.settings if self.runner else self._settings or get_settings()

    @property
    def queue(self) -> Queue:
        """The queue for whoever is no runner; connected when first used."""
        queue = self._queue
        if queue is not None:
            return queue
        with self._lock:
            if self._queue is None:
                self._queue = queue_of(self.settings, name="requests")
            return self._queue

    def configure(self, settings: Settings) -> None:
        """Use these settings from now on."""
        with self._lock:
            if self._queue is not None:
                self._queue.close()
            self._settings, self._queue = settings, None


def queue_of(settings: Settings, *, name: str) -> Queue:
    """A queue on the database of these settings; not connected yet."""
    keep = settings.job_retention_days * 86_400
    return Queue(direct_url(settings), lease=settings.job_lease_seconds, keep=keep, name=name)


local = Local()


def _forget_after_fork() -> None:
    """A connection must not be used by two processes."""
    local.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=_forget_after_fork)
