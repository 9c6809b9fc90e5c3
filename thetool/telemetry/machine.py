"""What the machine and this process use: processor, memory, disk."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

CGROUP = Path("/sys/fs/cgroup")
GIB = 2**30
MIB = 2**20
SHORTEST_SECONDS = 0.2
"""Over less than that, a share says nothing: processors count in hundredths of a second."""


@dataclass(frozen=True)
class Memory:
    """Bytes of memory that this service may use, and that are used."""

    total: int
    used: int

    @property
    def percent(self) -> float:
        """Share in use, 0 to 100."""
        return round(100 * self.used / self.total, 1)


class Share:
    """How much of the time since the last question was spent at work, in percent.

    psutil remembers the last question of each thread alone, and tells each of a service's many threads 0.0 at first.

    Args:
        read: gives the seconds at work and the seconds passed, since whenever they are counted. The first question is
            answered for all of that time.
    """

    def __init__(self, read: Callable[[], tuple[float, float]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._worked = self._passed = self._percent = 0.0

    def percent(self) -> float:
        """The share since the last question; asked again within a moment, the same answer."""
        with self._lock:
            worked, passed = self._read()
            if passed - self._passed >= SHORTEST_SECONDS:
                self._percent = round(max(0.0, 100 * (worked - self._worked) / (passed - self._passed)), 1)
                self._worked, self._passed = worked, passed
            return self._percent


def memory() -> Memory:
    """The container's memory where it has a limit of its own, else the machine's."""
    machine = psutil.virtual_memory()
    try:
        limit = (CGROUP / "memory.max").read_text().strip()
        if limit != "max" and int(limit) < machine.total:
            return Memory(int(limit), min(int((CGROUP / "memory.current").read_text()), int(limit)))
    except (OSError, ValueError):  # no cgroup v2, or none of our own: the machine's numbers are right then
        return Memory(machine.total, machine.total - machine.available)
    return Memory(machine.total, machine.total - machine.available)


def system(home: Path) -> dict[str, Any]:
    """Processor, memory and the disk that `home` is on, in the units that the names say."""
    used, disk = memory(), psutil.disk_usage(str(_existing(home)))
    return {
        "cpu_percent": _machine_share.percent(),
        "cpu_count": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "memory_percent": used.percent,
        "memory_used_gb": round(used.used / GIB, 2),
        "memory_total_gb": round(used.total / GIB, 2),
        "memory_available_mb": round((used.total - used.used) / MIB),
        "disk_percent": disk.percent,
        "disk_free_gb": round(disk.free / GIB, 2),
        "disk_total_gb": round(disk.total / GIB, 2),
    }


def process() -> dict[str, Any]:
    """This process's memory, threads and processor time."""
    own, share = _own(os.getpid())
    with own.oneshot():
        sizes = own.memory_info()
        return {
            "pid": own.pid,
            "memory_rss_mb": round(sizes.rss / MIB, 1),
            "memory_vms_mb": round(sizes.vms / MIB, 1),
            "cpu_percent": share.percent(),
            "num_threads": own.num_threads(),
            "create_time": own.create_time(),
        }


def _machine_seconds() -> tuple[float, float]:
    times = psutil.cpu_times()
    passed = sum(times) - getattr(times, "guest", 0) - getattr(times, "guest_nice", 0)  # those are in `user` already
    return passed - times.idle - getattr(times, "iowait", 0), passed


_machine_share = Share(_machine_seconds)


@cache
def _own(pid: int) -> tuple[psutil.Process, Share]:
    """Kept, for the share since the last question; a forked child has its own."""
    process = psutil.Process(pid)
    began = time.monotonic() - (time.time() - process.create_time())
    return process, Share(lambda: (time.process_time(), time.monotonic() - began))


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
