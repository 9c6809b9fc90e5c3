"""Rows that nobody waits for: gathered in this process, written together a moment later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from thetool.database.connection import is_unavailable

FLUSH_SECONDS = 0.5
MOST_WAITING = 20_000

T = TypeVar("T")
log = structlog.get_logger(__name__)


class WriteLater(Generic[T]):
    """Gathers items and hands them to `write` together, `FLUSH_SECONDS` after the first.

    While Postgres is away they wait; past `MOST_WAITING` new ones are dropped and counted, because memory ends.
    """

    def __init__(self, what: str, write: Callable[[list[T]], None]) -> None:
        self.dropped = 0
        self._what = what
        self._write = write
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._items: list[T] = []
        self._timer: threading.Timer | None = None

    def add(self, item: T) -> None:
        """Let one more be written."""
        with self._lock:
            if len(self._items) >= MOST_WAITING:
                self.dropped += 1
                return
            self._items.append(item)
            self._start_timer()

    def flush(self) -> None:
        """Write now what waits; what cannot be written because Postgres is away goes on waiting."""
        with self._writing:
            with self._lock:
                items, self._items = self._items, []
            if not items:
                return
            try:
                self._write(items)
            except Exception as error:
                log.warning("not written", what=self._what, rows=len(items), error=str(error))
                if is_unavailable(error):
                    with self._lock:
                        self._items = (items + self._items)[-MOST_WAITING:]
                else:
                    self.dropped += len(items)

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(FLUSH_SECONDS, self._flush_later)
            self._timer.daemon = True
            self._timer.start()

    def _flush_later(self) -> None:
        with self._lock:
            self._timer = None
        self.flush()
        with self._lock:
            if self._items:
                self._start_timer()
