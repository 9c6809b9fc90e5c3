"""What the machine and this process use: processor, memory, disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

CGROUP = Path("/sys/fs/cgroup")
GIB = 2**30
MIB = 2**20


@dataclass(frozen=True)
class Memory:
    """Bytes of memory that this service may use, and that are used."""

    total: int
    used: int

    @property
    def percent(self) -> float:
        """Share in use, 0 to 100."""
        return round(100 * self.used / self.total, 1)


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
        "cpu_percent": psutil.cpu_percent(),
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
    own = _own(os.getpid())
    with own.oneshot():
        sizes = own.memory_info()
        return {
            "pid": own.pid,
            "memory_rss_mb": round(sizes.rss / MIB, 1),
            "memory_vms_mb": round(sizes.vms / MIB, 1),
            "cpu_percent": own.cpu_percent(),
            "num_threads": own.num_threads(),
            "create_time": own.create_time(),
        }


@cache
def _own(pid: int) -> psutil.Process:
    """Kept, because `cpu_percent` is the share since the last question."""
    return psutil.Process(pid)


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
