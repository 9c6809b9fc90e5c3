"""A multipart form whose file is read from the disk while it is sent: a table may be larger than the memory."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from typing import Any, BinaryIO
from uuid import uuid4

PIECE_BYTES = 1 << 20


class Form(io.RawIOBase):
    """The body of a request (RFC 7578), to be read from its beginning as often as it is sent."""

    def __init__(
        self, fields: Iterable[tuple[str, str]], file: BinaryIO, filename: str, media_type: str | None = None
    ) -> None:
        """Take the fields and the file, which is called `filename` in the form."""
        self._boundary = uuid4().hex
        before = b"".join(self._field(name, value) for name, value in fields)
        before += self._part(f'name="file"; filename="{_quoted(filename)}"', media_type)
        after = f"\r\n--{self._boundary}--\r\n".encode()
        self._parts: list[BinaryIO] = [io.BytesIO(before), file, io.BytesIO(after)]
        self._size = len(before) + file.seek(0, os.SEEK_END) + len(after)
        self.seek(0)

    @property
    def content_type(self) -> str:
        """The header that belongs to it."""
        return f"multipart/form-data; boundary={self._boundary}"

    def __len__(self) -> int:
        return self._size

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def seekable(self) -> bool:
        """It can begin anew."""
        return True

    def tell(self) -> int:
        """How much of it was read."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Begin anew; nothing else is wanted of it."""
        if (offset, whence) != (0, os.SEEK_SET):
            raise io.UnsupportedOperation("a form is sent from its beginning")
        for part in self._parts:
            part.seek(0)
        self._at = 0
        return 0

    def readinto(self, buffer: Any) -> int:
        """Read on, from one part into the next."""
        for part in self._parts:
            data = part.read(len(buffer))
            if data:
                buffer[: len(data)] = data
                self._at += len(data)
                return len(data)
        return 0

    def _field(self, name: str, value: str) -> bytes:
        return self._part(f'name="{name}"') + value.encode() + b"\r\n"

    def _part(self, disposition: str, media_type: str | None = None) -> bytes:
        declared = f"\r\nContent-Type: {media_type}" if media_type else ""
        return f"--{self._boundary}\r\nContent-Disposition: form-data; {disposition}{declared}\r\n\r\n".encode()


def _quoted(name: str) -> str:
    """A file's name as browsers write it there (WHATWG HTML, multipart/form-data)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
