"""Counts of processes that have ended, added up in one file a kind.

A worker is replaced after some requests, and each process has count files of its own. Left alone they would grow
without end; so the counts of dead processes move into `counter_retired.db` and `histogram_retired.db`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

KINDS = ("counter", "histogram")
LIVING = "gauge_live*_*.db"
"""What a process has now, such as open streams: gone with it."""


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Let one process at a time read or merge the folder's files."""
    with open(folder / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def merge_dead(folder: Path) -> None:
    """Move the counts of dead processes into the retired files, and drop their gauges; needs `exclusive(folder)`.

    If it is killed in between, counts may be lost, which Prometheus takes for a restart; none is ever counted twice.
    """
    for path in folder.glob(LIVING):
        if _is_dead(path):
            path.unlink()
    for kind in KINDS:
        dead = [path for path in folder.glob(f"{kind}_*.db") if _is_dead(path)]
        if not dead:
            continue
        total: dict[str, float] = {}
        retired = folder / f"{kind}_retired.db"
        for path in [*dead, *([retired] if retired.exists() else [])]:
            for key, value, _, _ in MmapedDict.read_all_values_from_file(path):  # type: ignore[no-untyped-call]
                total[key] = total.get(key, 0.0) + value
        fresh = folder / f"{kind}_retired.new"
        fresh.unlink(missing_ok=True)
        counts = MmapedDict(str(fresh))  # type: ignore[no-untyped-call]
        for key, value in total.items():
            counts.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]
        counts.close()  # type: ignore[no-untyped-call]
        for path in dead:
            path.unlink()
        fresh.rename(retired)


def _is_dead(path: Path) -> bool:
    owner = path.stem.rpartition("_")[2]
    if not owner.isdigit():
        return False
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
