"""Files on their way in: on the disk when large, each within the bound of its kind, which its beginning tells."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from io import RawIOBase
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.http import parse_options_header

from thetool.analyze.content import Content, content_of
from thetool.analyze.kinds import SNIFFED_BYTES, Kind, kind_of
from thetool.config import Settings
from thetool.web.body_limit import enforce
from thetool.web.problems import TooLarge, UnsupportedMediaType

MEMORY_BYTES = 1 << 20
"""A larger file goes to the disk."""
FORM_BYTES = 1 << 20
"""So much of a form may be other than its files."""


def body_bytes(settings: Settings) -> int:
    """The most that a body may have before anything of it is known."""
    return max(settings.max_upload_bytes, settings.max_total_upload_size, settings.max_table_bytes + FORM_BYTES)


def most_bytes(kind: Kind, settings: Settings) -> int:
    """The most that a content of a kind may have."""
    return settings.max_table_bytes if kind == "table" else settings.max_upload_bytes


@dataclass(frozen=True)
class Upload:
    """One file of a form; it is read when its turn comes."""

    filename: str | None
    media_type: str
    charset: str | None
    file: FileStorage

    @classmethod
    def of(cls, file: FileStorage) -> Upload:
        """A file as the form names and declares it."""
        return cls(file.filename, file.mimetype, file.mimetype_params.get("charset"), file)

    def content(self) -> Content:
        """What it holds. Raises the problem with it, if there is one."""
        self.file.stream.seek(0)
        return content_of(self.file.stream, self.media_type, self.charset, self.filename)

    def digest(self) -> str:
        """SHA-256 of its bytes, in hexadecimal."""
        self.file.stream.seek(0)
        return hashlib.file_digest(cast(Any, self.file.stream), "sha256").hexdigest()


class Bounded(SpooledTemporaryFile[bytes]):
    """A file that is refused at the byte that is too many for what it is.

    Args:
        settings: the bounds.
        judge: gives its kind, by its beginning; asked once, when it is too large for anything but a table.
    """

    def __init__(self, settings: Settings, judge: Callable[[bytes], Kind]) -> None:
        super().__init__(max_size=MEMORY_BYTES, mode="w+b")
        self._settings = settings
        self._judge = judge
        self._limit = min(settings.max_upload_bytes, settings.max_table_bytes)
        self._judged = False
        self.size = 0

    def write(self, data: Any) -> int:
        """Add `data`; raises TooLarge."""
        if self.size + len(data) > self._limit and not self._judged:
            self._judged = True
            self._limit = self._bound(data)
        self.size += len(data)
        if self.size > self._limit:
            raise TooLarge(
                f"A file has more than {self._limit:,} bytes, which is all that is taken of its kind.",
                limit=self._limit,
            )
        return super().write(data)

    def _bound(self, data: bytes) -> int:
        self.seek(0)
        head = self.read(SNIFFED_BYTES + 1)
        head += data[: max(0, SNIFFED_BYTES + 1 - len(head))]
        self.seek(0, 2)
        try:
            return most_bytes(self._judge(head), self._settings)
        except UnsupportedMediaType:  # told when its turn comes, if it is not too large for anything
            return self._settings.max_upload_bytes


class Together:
    """All files of one form, which together have a bound of their own when they are several."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._files: list[Bounded] = []

    def file(self, *, content_type: str | None = None, filename: str | None = None, **_: Any) -> IO[bytes]:
        """A place for one more, as Werkzeug's parser asks for it."""
        declared = parse_options_header(content_type)[0]
        place = _OneOf(self, self._settings, lambda head: kind_of(head, declared, filename))
        self._files.append(place)
        return cast(IO[bytes], place)

    def check(self) -> None:
        """Raise TooLarge when they have too much."""
        most = self._settings.max_total_upload_size
        if len(self._files) > 1 and sum(file.size for file in self._files) > most:
            raise TooLarge(f"The files have more than {most:,} bytes in all, which is all that is taken.", limit=most)


class _OneOf(Bounded):
    def __init__(self, together: Together, settings: Settings, judge: Callable[[bytes], Kind]) -> None:
        super().__init__(settings, judge)
        self._together = together

    def write(self, data: Any) -> int:
        written = super().write(data)
        self._together.check()
        return written


def beginning_of_body() -> bytes:
    """The first bytes of the body, as many as tell its kind; whoever reads the body gets them too."""
    stream = request.environ["wsgi.input"]
    head = b""
    while len(head) <= SNIFFED_BYTES and (more := stream.read(SNIFFED_BYTES + 1 - len(head))):
        head += more
    request.environ["wsgi.input"] = _Again(head, stream)
    return head


def table_body(settings: Settings) -> IO[bytes]:
    """The body, when it is a table: on the disk, if it is large. Raises TooLarge at the byte that is too many."""
    enforce(request, settings.max_table_bytes)
    file = Bounded(settings, lambda head: "table")
    shutil.copyfileobj(request.stream, file, MEMORY_BYTES)
    file.seek(0)
    return cast(IO[bytes], file)


class _Again(RawIOBase):
    """A stream whose beginning was read already."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        data = self._head[:size] if self._head else self._rest.read(size)
        self._head = self._head[size:]
        buffer[: len(data)] = data
        return len(data)
