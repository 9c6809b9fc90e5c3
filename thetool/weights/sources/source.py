"""What every kind of source has in common."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path

READ_BYTES = 1 << 20
UPDATE = "update TheTool"
"""What helps when a source has another content than the catalogue knows."""

Downloaded = Callable[[int], None]
"""Is told how many bytes of the download are here."""


def of_the_disk(error: Exception) -> bool:
    """Whether it is the system's; those about an archive have no number, or that of a place before its beginning."""
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)


class SourceError(Exception):
    """One source did not give its file: `what` happened, and `how_to` mend it."""

    def __init__(self, what: str, how_to: str) -> None:
        super().__init__(what)
        self.what = what
        self.how_to = how_to


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
