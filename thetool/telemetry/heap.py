"""The heap of the C library (glibc; others do without): how many parts it has, and giving back what is free."""

from __future__ import annotations

import ctypes
import os
import sys

_ARENA_MAX = -8  # M_ARENA_MAX in malloc.h
_FEWEST = 2


def share_arenas() -> None:
    """Let all threads share as many arenas as there are cores; call it before there are threads.

    By default there are eight times as many, and threads that come and go leave free memory in each of them: that of
    photos and of the models' runs made a worker a third larger.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    _call("mallopt", _ARENA_MAX, max(_FEWEST, cores))


def return_freed_memory() -> None:
    """Give back what was freed: after loading, which needs the weights twice, glibc would keep the half of it."""
    _call("malloc_trim", 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if function is not None:
        function(*arguments)
