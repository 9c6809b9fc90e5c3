"""Rows that nobody waits for: gathered in this process, written together a moment later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from thetool.database.connection import is_unavailable

FLUSH_SECONDS = 0.5
MOST_WAITING = 20_000
MOST_BYTES = 2**26
MOST_FAILURES = 64
"""Of one flush: who is not to blame is found by halves, but not without end."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


class WriteLater(Generic[T]):
    """Gathers items and hands them to `write` together, `FLUSH_SECONDS` after the first.

    While Postgres is away they wait; past `MOST_WAITING` of them or `MOST_BYTES` new ones are dropped and counted,
    because memory ends. One that Postgres does not take is dropped alone: the others are written without it.

    Args:
        what: they are, for the log.
        write: writes some of them, all or none.
        size: about how many bytes one takes.
    """

    def __init__(self, what: str, write: Callable[[list[T]], None], size: Callable[[T], int]) -> None:
        self.dropped = 0
        self._what = what
        self._write = write
        self._size = size
        self._bytes = 0
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._items: list[T] = []
        self._timer: threading.Timer | None = None

    def add(self, item: T) -> None:
        """Let one more be written."""
        with self._lock:
            if len(self._items) >= MOST_WAITING or self._bytes >= MOST_BYTES:
                self.dropped += 1
                return
            self._items.append(item)
            self._bytes += self._size(item)
            self._start_timer()

    def flush(self) -> None:
        """Write now what waits; what cannot be written because Postgres is away goes on waiting."""
        with self._writing:
            with self._lock:
                items, self._items, self._bytes = self._items, [], 0
            if items:
                self._write_parts([items])

    def _write_parts(self, parts: list[list[T]]) -> None:
        """Write the last part first; one that is not taken is tried in halves."""
        failures = 0
        while parts:
            items = parts.pop()
            try:
                self._write(items)
            except Exception as error:
                failures += 1
                if is_unavailable(error):
                    log.warning("not written yet", what=self._what, rows=len(items), error=str(error))
                    self._put_back([one for part in (*parts, items) for one in part])
                    return
                if len(items) == 1 or failures >= MOST_FAILURES:
                    log.warning("not written", what=self._what, rows=len(items), error=str(error))
                    self.dropped += len(items)
                else:
                    middle = len(items) // 2
                    parts += [items[middle:], items[:middle]]

    def _put_back(self, items: list[T]) -> None:
        with self._lock:
            self._items = items + self._items
            self._bytes += sum(map(self._size, items))

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
