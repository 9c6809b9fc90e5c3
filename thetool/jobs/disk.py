"""How much a child process has written: in its folder, and in files that have no name any more."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

MOST_ENTRIES = 50_000
_BLOCK = 512


class TooManyFiles(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The folder holds more entries than are counted, or is deeper than a path can be long."""


def folder_bytes(folder: Path) -> int:
    """What the files beneath the folder take on the disk.

    Raises:
        TooManyFiles: there are more than 50,000, or they lie too deep.
    """
    total, entries, ahead = 0, 0, [str(folder)]
    while ahead:
        place = ahead.pop()
        if len(place) > os.pathconf("/", "PC_PATH_MAX") - 256:
            raise TooManyFiles
        with contextlib.suppress(FileNotFoundError, PermissionError), os.scandir(place) as found:
            for entry in found:
                entries += 1
                if entries > MOST_ENTRIES:
                    raise TooManyFiles
                if entry.is_dir(follow_symlinks=False):
                    ahead.append(entry.path)
                with contextlib.suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
    return total


def nameless_bytes(pids: Iterable[int]) -> int:
    """What the files take that these processes hold open and that were removed, or never had a name (memfd)."""
    sizes: dict[tuple[int, int], int] = {}
    for pid in pids:
        with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as found:
            for entry in found:
                with contextlib.suppress(OSError):
                    about = os.stat(entry.path)
                    if stat.S_ISREG(about.st_mode) and about.st_nlink == 0:
                        sizes[about.st_dev, about.st_ino] = about.st_blocks * _BLOCK
    return sum(sizes.values())
