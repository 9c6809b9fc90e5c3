"""The folder that a child process works in. It holds nothing of worth, and goes with the child."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

PREFIX = "thetool-child-"


def make_scratch() -> Path:
    """A new folder, named by the worker that owns it."""
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))


def clear(folder: Path) -> bool:
    """Empty the folder; False when something resists."""
    try:
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
    except (OSError, RecursionError):
        return False
    return True


def remove(folder: Path) -> None:
    """Remove the folder, as far as that can be done.

    A child may leave folders that nobody may enter, or deeper than Python climbs: the system's own tools manage those.
    """
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for tool in (("chmod", "-R", "u+rwx"), ("rm", "-rf")):
            with contextlib.suppress(OSError):
                subprocess.run([*tool, "--", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sweep() -> None:
    """Remove the folders of workers of this user that live no more: they were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        worker = folder.name.removeprefix(PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if worker.isdecimal() and not _lives(int(worker)) and folder.stat().st_uid == os.geteuid():
                remove(folder)


def open_scratch_file(folder: Path, name: str) -> BinaryIO:
    """Open a file that a child left in its folder; not one that a link or a special file points out of it.

    Raises:
        ValueError: it is not a plain file directly in the folder.
    """
    if name != os.path.basename(name) or name in {"", ".", ".."}:
        raise ValueError("a file to store lies directly in the job's folder")
    descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError("only a plain file can be stored")
    return os.fdopen(descriptor, "rb")


def scratch_name() -> str:
    """A name for a new file in a child's folder, which the child cannot know before."""
    return f"given-{uuid4()}"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
