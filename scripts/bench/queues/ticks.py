"""How often this process ran the no-op job, and when, in a file that the benchmark reads without asking anybody.

Times are `time.monotonic()`, which all processes of a machine share. Runs in each peer's own environment: no imports
but Python's own.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from pathlib import Path

_record = struct.Struct("=qdd")  # how often, first, last


class Ticks:
    """One process's count."""

    def __init__(self, folder: Path) -> None:
        path = folder / f"{os.getpid()}.count"
        whole = path.with_suffix(".new")
        whole.write_bytes(bytes(_record.size))
        whole.rename(path)
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _record.size)
        self._latencies = (folder / f"{os.getpid()}.latency").open("a", buffering=1)
        self._count, self._first = 0, 0.0

    def tick(self, sent: float) -> None:
        """The job runs; `sent` is when it was enqueued, 0 where that is of no interest."""
        now = time.monotonic()
        self._count += 1
        self._first = self._first or now
        _record.pack_into(self._memory, 0, self._count, self._first, now)
        if sent:
            self._latencies.write(f"{now - sent}\n")


_ticks: Ticks | None = None
_pid = 0
_lock = threading.Lock()
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def tick(sent: float = 0.0) -> None:
    """The job runs, in this process, which may be a fork of the one that asked before."""
    global _ticks, _pid
    with _lock:  # several threads of a worker may run the job
        if _ticks is None or os.getpid() != _pid:
            _ticks, _pid = Ticks(Path(os.environ["BENCH_TICKS"])), os.getpid()
        _ticks.tick(sent)


def counted(folder: Path) -> tuple[int, float]:
    """How often the job ran in all processes together, and when last."""
    records = [_record.unpack(path.read_bytes()) for path in folder.glob("*.count")]
    return sum(count for count, _, _ in records), max((last for _, _, last in records), default=0.0)


def latencies(folder: Path) -> list[float]:
    """Seconds from enqueue to start of those jobs that had `sent`."""
    return [float(line) for path in folder.glob("*.latency") for line in path.read_text().split()]
