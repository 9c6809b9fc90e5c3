"""The C library's heap, asked in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys, threading
from thetool.telemetry.heap import return_freed_memory, share_arenas

if sys.argv[1] == "share":
    share_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fdopen.restype = ctypes.c_void_p, ctypes.c_void_p
together = threading.Barrier(12)

def work():
    libc.malloc(1000)
    together.wait()  # so that no thread takes over the arena of one that has ended

threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
return_freed_memory()
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc, which is Linux's, has arenas to share")
def test_threads_share_as_many_arenas_as_there_are_cores() -> None:
    cores = len(os.sched_getaffinity(0))
    arenas = {
        how: subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
        .stdout.count("<heap nr=")
        for how in ("share", "alone")
    }  # fmt: skip
    assert 1 <= arenas["share"] <= max(2, cores)
    assert arenas["share"] < arenas["alone"] <= 13
