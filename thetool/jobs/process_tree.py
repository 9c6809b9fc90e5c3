"""A process and everything that it started: how much memory they hold, and how to end them all."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import psutil

MOST_LOOKS = 50

_page = os.sysconf("SC_PAGE_SIZE")


def descendants(pid: int) -> list[int]:
    """The processes that `pid` started, and those that these started.

    Linux lists a thread's children; asking every process of the machine for its parent, ten times a second, costs more
    than many a job.
    """
    if not Path(f"/proc/{pid}/task/{pid}/children").exists():
        with contextlib.suppress(psutil.Error):
            return [process.pid for process in psutil.Process(pid).children(recursive=True)]
        return []
    found: list[int] = []
    ahead = [pid]
    while ahead:
        children = _children(ahead.pop())
        found += children
        ahead += children
    return found


def memory_bytes(pids: list[int]) -> int:
    """Resident memory of these processes in bytes; one that has ended counts nothing."""
    return sum(_resident(pid) for pid in pids)


def kill_group(pid: int) -> None:
    """Kill the process group that `pid` leads, and what it started outside of that group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGSTOP)  # so that nobody forks while we look
    strays = _halted(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for stray in strays:
        with contextlib.suppress(psutil.Error):
            stray.kill()


def _halted(pid: int) -> list[psutil.Process]:
    """What `pid` started, each stopped so that it starts no more; looks again until there is nobody new.

    With their start times, so that a number that was given to somebody else meanwhile is not killed.
    """
    found: dict[int, psutil.Process] = {}
    for _ in range(MOST_LOOKS):
        new = [stray for stray in descendants(pid) if stray not in found]
        if not new:
            break
        for stray in new:
            with contextlib.suppress(psutil.Error):
                found[stray] = psutil.Process(stray)
                found[stray].suspend()
    return list(found.values())


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_bytes().split())
    return found


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _page
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
