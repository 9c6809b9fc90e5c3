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


@dataclass(frozen=True)
class Run:
    """A run that has begun: its options, by which it is stopped, and whose thread it holds since when."""

    options: Any
    thread: int = field(default_factory=threading.get_ident)
    began: float = field(default_factory=time.monotonic)


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
    run: Run | None = None
    """That of which it is part; None before it began."""
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
        self.runs = 0
        self.most_runs = most_runs
        self._shares = batching.enabled and row_by_row
        self._waiting: deque[Waiting] = deque()
        self._lock = threading.Lock()

    def add(self, one: Waiting) -> None:
        """Let one more wait."""
        with self._lock:
            self._waiting.append(one)

    @property
    def due(self) -> bool:
        """Whether a run may begin: the first one has waited for others as long as it is to, or enough have come."""
        with self._lock:
            return self._is_due()

    def take(self, *, shares: bool = True) -> list[Waiting]:
        """The next ones that go together, one alone unless `shares`; none while no run may begin."""
        with self._lock:
            taken: list[Waiting] = []
            while self._is_due():
                one = self._waiting.popleft()
                if one.abandoned:
                    continue
                taken.append(one)
                if shares and self._may_share(one):
                    self._fill(taken)
                break
            return taken

    def _is_due(self) -> bool:
        if not self._waiting:
            return False
        first, delay = self._waiting[0], self.batching.max_delay
        if not delay or not self._may_share(first) or time.monotonic() >= first.came_at + delay:
            return True
        return sum(one.rows or 0 for one in self._waiting) >= self.batching.max_size

    def _may_share(self, one: Waiting) -> bool:
        return self._shares and one.rows is not None and one.rows < self.batching.max_size

    def _fill(self, taken: list[Waiting]) -> None:
        kind, rows = taken[0].kind, taken[0].rows or 0
        while self._waiting:
            one = self._waiting[0]
            if not one.abandoned:
                if one.rows is None or rows + one.rows > self.batching.max_size or one.kind != kind:
                    return
                taken.append(one)
                rows += one.rows
            self._waiting.popleft()
