"""Kinds of jobs whose children take all that they can get: processes, memory, the disk."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from pydantic import BaseModel

from thetool.jobs.context import JobContext
from thetool.jobs.registry import job

MIB = 2**20


class Params(BaseModel):
    what: str
    note: str | None = None
    """Where to write the numbers of the processes that are started, one a line."""


class Result(BaseModel):
    text: str = ""


@job("sample_hostile.child", runs="process", memory_mb=400, disk_mb=32, timeout=90)
def hostile(context: JobContext, params: Params) -> Result:
    """Does what its parameter says."""
    return Result(text=JOBS[params.what](params) or "")


@job("sample_hostile.roomy", runs="process", memory_mb=100_000, disk_mb=32, timeout=90)
def roomy(context: JobContext, params: Params) -> Result:
    """The same, with more memory than it will ever take."""
    return Result(text=JOBS[params.what](params) or "")


def _noted(params: Params, pid: int) -> None:
    with open(params.note or os.devnull, "a") as file:
        file.write(f"{pid}\n")


def _echo(params: Params) -> str:
    return str(os.getpid())


def _fork_many(params: Params) -> None:
    """Children beside each other, half of them in sessions of their own, their parents gone."""
    while True:
        pid = os.fork()
        if pid == 0:
            if os.fork() != 0:
                os._exit(0)
            if os.getpid() % 2:
                os.setsid()
            _noted(params, os.getpid())
            time.sleep(600)
            os._exit(0)
        os.waitpid(pid, 0)


def _fork_ever(params: Params) -> None:
    """Each child has a child, in a session of its own."""
    while os.fork() == 0:
        os.setsid()
        _noted(params, os.getpid())
        time.sleep(0.005)
    time.sleep(600)


def _fill_with_forks(params: Params) -> None:
    """The memory is held by what it started."""
    for _ in range(4):
        if os.fork() == 0:
            _noted(params, os.getpid())
            hoard = []
            while True:
                hoard.append(bytearray(os.urandom(1) * MIB))
                time.sleep(0.002)
    time.sleep(600)


def _at_once(params: Params) -> None:
    """More memory than there may be in one go, all of it written to before anybody can look."""
    bytearray(b"x" * MIB) * 8_192


def _at_once_in_another_language(params: Params) -> None:
    """As a library in Rust or C++ ends: it says so, and aborts."""
    os.write(2, b"memory allocation of 8589934592 bytes failed\n")
    os.abort()


def _many_files(params: Params) -> None:
    """Each of them small, together more than there may be."""
    number = 0
    while True:
        number += 1
        Path(f"part-{number}").write_bytes(b"x" * MIB)
        time.sleep(0.005)


def _one_file(params: Params) -> None:
    """Outside of its folder, where nobody adds up."""
    with open(f"{params.note}.big", "wb") as file:
        while True:
            file.write(b"x" * MIB)


def _without_a_name(params: Params) -> None:
    """Removed files take room as long as they are open."""
    held = []
    while True:
        held.append(tempfile.TemporaryFile())  # noqa: SIM115  held open on purpose
        held[-1].write(b"x" * MIB)
        held[-1].flush()
        time.sleep(0.005)


def _in_memory_files(params: Params) -> None:
    """What is in a memfd is in nobody's resident memory."""
    held = []
    while True:
        held.append(os.memfd_create("hoard"))
        os.write(held[-1], b"x" * MIB)
        time.sleep(0.005)


def _empty_files(params: Params) -> None:
    """No bytes, and yet the folder fills."""
    for number in range(10**9):
        os.close(os.open(f"{number}", os.O_CREAT | os.O_WRONLY))
    raise AssertionError


def _deep_folders(params: Params) -> str:
    """Deeper than a path can be long, and then one that nobody may enter."""
    home = os.open(".", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("deep")
        os.chdir("deep")
    os.mkdir("closed", mode=0)
    os.fchdir(home)
    os.close(home)
    return "left behind"


JOBS = {
    "echo": _echo,
    "fork_many": _fork_many,
    "fork_ever": _fork_ever,
    "fill_with_forks": _fill_with_forks,
    "at_once": _at_once,
    "at_once_in_another_language": _at_once_in_another_language,
    "many_files": _many_files,
    "one_file": _one_file,
    "without_a_name": _without_a_name,
    "in_memory_files": _in_memory_files,
    "empty_files": _empty_files,
    "deep_folders": _deep_folders,
}
