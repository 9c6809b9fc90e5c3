"""Predictions that wait for one model: taken together where their rows may share a run."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from thetool.serving.runtime.checking import Feeds


@dataclass(frozen=True)
class Batching:
    """How rows of several requests share a run.

    Args:
        enabled: whether they do at all, where the model allows it.
        max_size: rows of a run at most; a request with more is a run of its own.
        max_delay: seconds that the first request waits for others. 0 waits for nobody: together go those that came
            while other runs kept the threads busy, and only where the model may be expected to gain by it.
    """

    enabled: bool = True
    max_size: int = 64
    max_delay: float = 0.0


@dataclass(eq=False)
class Waiting:
    """One request's prediction, until it has its outputs or its error."""

    feeds: Feeds
    rows: int | None
    deadline: float
    came_at: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)
    outputs: list[Any] | None = None
    error: Exception | None = None
    milliseconds: float = 0.0
    together: int = 1
    run: Any = None
    """The options of the run that it is part of; None before it began."""
    abandoned: bool = False

    @property
    def kind(self) -> tuple[Any, ...]:
        """What must be alike for two to share a run."""
        return tuple((name, array.dtype, array.shape[1:]) for name, array in self.feeds.items())


class Lane:
    """The predictions that wait for one session, in the order in which they came.

    It does not know its session: that has the lane, and its memory is to go with its last reference.
    """

    def __init__(self, batching: Batching, *, row_by_row: bool, most_runs: int) -> None:
        self.batching = batching
        self.row_by_row = row_by_row
        self.runs = 0
        self._gathering = False
        self.most_runs = most_runs
        self._waiting: deque[Waiting] = deque()
        self._changed = threading.Condition()

    def add(self, one: Waiting) -> None:
        """Let one more wait."""
        with self._changed:
            self._waiting.append(one)
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, *, shares: bool = True) -> list[Waiting]:
        """The next ones that go together, one alone unless `shares`; waits up to `max_delay` for more of them.

        Empty when nobody waits, or another thread gathers those who do.
        """
        with self._changed:
            if self._gathering:
                return []
            self._gathering = True
            try:
                return self._gathered(shares)
            finally:
                self._gathering = False

    def _gathered(self, shares: bool) -> list[Waiting]:
        first = self._next()
        if first is None:
            return []
        taken = [first]
        if not shares or not self._may_share(first):
            return taken
        self._fill(taken)
        ends = first.came_at + self.batching.max_delay
        while self._rows(taken) < self.batching.max_size and (left := ends - time.monotonic()) > 0:
            if self._waiting and not self._fits(taken, self._waiting[0]):
                break
            self._changed.wait(left)
            self._fill(taken)
        return taken

    def _next(self) -> Waiting | None:
        while self._waiting:
            one = self._waiting.popleft()
            if not one.abandoned:
                return one
        return None

    def _may_share(self, one: Waiting) -> bool:
        allowed = self.batching.enabled and self.row_by_row
        return allowed and one.rows is not None and one.rows < self.batching.max_size

    def _fill(self, taken: list[Waiting]) -> None:
        while self._waiting and self._fits(taken, self._waiting[0]):
            one = self._waiting.popleft()
            if not one.abandoned:
                taken.append(one)

    def _fits(self, taken: list[Waiting], one: Waiting) -> bool:
        if one.rows is None or self._rows(taken) + one.rows > self.batching.max_size:
            return False
        return one.kind == taken[0].kind

    @staticmethod
    def _rows(taken: list[Waiting]) -> int:
        return sum(one.rows or 0 for one in taken)
