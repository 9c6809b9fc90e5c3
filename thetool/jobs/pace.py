"""How long jobs of each kind take here, and so how many of them may be claimed at a time."""

from __future__ import annotations

from collections import deque

QUICK_SECONDS = 0.05
REMEMBERED_RUNS = 200
ENOUGH_RUNS = 20
MOST_AT_A_TIME = 50


class Pace:
    """Remembers the last runs of each kind in this worker.

    A job that is claimed and waits behind another could run elsewhere. So several are claimed at a time only of kinds
    of which 95 of 100 runs took less than `QUICK_SECONDS`, and only as many as are done within that time together.
    """

    def __init__(self) -> None:
        self._seconds: dict[str, deque[float]] = {}
        self._runs: dict[str, int] = {}
        self._sizes: dict[str, int] = {}

    def note(self, kind: str, seconds: float) -> None:
        """A job of this kind took so long."""
        self._seconds.setdefault(kind, deque(maxlen=REMEMBERED_RUNS)).append(seconds)
        runs = self._runs[kind] = self._runs.get(kind, 0) + 1
        if runs % ENOUGH_RUNS == 0 or seconds >= QUICK_SECONDS:
            self._sizes[kind] = self._size(list(self._seconds[kind]))

    def size(self, kind: str | None) -> int:
        """How many jobs of this kind may be claimed at a time; one until enough is known of it."""
        return self._sizes.get(kind, 1) if kind else 1

    def as_quick_as(self, kind: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
        """Those of some kinds of which as many may be claimed at a time."""
        size = self.size(kind)
        return tuple(other for other in kinds if self.size(other) >= size)

    @staticmethod
    def _size(seconds: list[float]) -> int:
        if len(seconds) < ENOUGH_RUNS:
            return 1
        slow = sorted(seconds)[int(0.95 * (len(seconds) - 1))]
        return max(1, min(MOST_AT_A_TIME, int(QUICK_SECONDS / max(slow, 1e-6)))) if slow < QUICK_SECONDS else 1
