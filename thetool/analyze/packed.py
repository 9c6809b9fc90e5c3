"""What is inside a file that is packed, as far as its beginning tells: a workbook, one table, or something else."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

INNER_BYTES = 65_536
"""So much of what is inside is unpacked to look at, however much there is."""

Sort = Literal["workbook", "file", "other"]

_LOCAL = struct.Struct("<4s5H3L2H")  # APPNOTE.TXT 6.3.10, section 4.3.7
_STORED, _DEFLATED = 0, 8
_SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
_EXCEL = re.compile(rb"spreadsheetml|ms-excel\.sheet")
_GZIP_NAME, _GZIP_EXTRA = 8, 4
_MOST_ENTRIES = 50  # each may unpack to INNER_BYTES


@dataclass(frozen=True)
class Inside:
    """What a packed file holds: `sort`, and of a single file its name and how it begins."""

    sort: Sort
    name: str | None = None
    head: bytes = b""

    @property
    def whole(self) -> bool:
        """Whether `head` is all of it, as far as can be told."""
        return len(self.head) < INNER_BYTES


def inside_gzip(head: bytes) -> Inside:
    """The beginning of the file in a gzip (RFC 1952)."""
    try:
        unpacked = zlib.decompressobj(wbits=31).decompress(head, INNER_BYTES)
    except zlib.error:
        return Inside("other")
    return Inside("file", _gzip_name(head), unpacked)


def inside_zip(head: bytes) -> Inside:
    """What a ZIP holds: an Excel or OpenDocument workbook by its parts, else its first file that is none of a system's.

    Whether there are more files is for whoever reads all of it.
    """
    entries = list(islice(_entries(head), _MOST_ENTRIES))
    names = [entry.name or "" for entry in entries]
    for entry in entries:
        if entry.name == "mimetype":
            return Inside("workbook" if entry.head.startswith(_SPREADSHEET) else "other")
    if any(name.startswith("xl/") for name in names):
        return Inside("workbook")
    if any(name.startswith(("word/", "ppt/", "META-INF/")) for name in names):
        return Inside("other")
    for entry in entries:
        if entry.name == "[Content_Types].xml":
            return Inside("workbook" if _EXCEL.search(entry.head) else "other")
    return next((entry for entry in entries if not _is_of_a_system(entry.name or "")), Inside("other"))


def _is_of_a_system(name: str) -> bool:
    """Folders, and what macOS and Windows add by themselves."""
    last = name.rpartition("/")[2]
    return not last or name.startswith("__MACOSX/") or last.startswith("._") or last in {".DS_Store", "Thumbs.db"}


def _entries(head: bytes) -> Iterator[Inside]:
    """The files whose headers lie in the beginning; where a header gives no size, the next one is looked for."""
    at = head.find(b"PK\x03\x04")
    while at >= 0 and at + _LOCAL.size <= len(head):
        _, _, flags, method, _, _, _, packed, _, name_length, extra = _LOCAL.unpack_from(head, at)
        start = at + _LOCAL.size
        name = head[start : start + name_length].decode("utf-8" if flags & 0x800 else "cp437", errors="replace")
        start += name_length + extra
        sized = not flags & 0x8 and packed < 0xFFFFFFFF
        data = head[start : start + packed] if sized else head[start:]
        yield Inside("file", name, b"" if flags & 0x1 else _unpacked(data, method))
        at = head.find(b"PK\x03\x04", start + packed if sized else start)


def _unpacked(data: bytes, method: int) -> bytes:
    if method == _STORED:
        return data[:INNER_BYTES]
    if method != _DEFLATED:
        return b""
    try:
        return zlib.decompressobj(wbits=-15).decompress(data, INNER_BYTES)
    except zlib.error:
        return b""


def _gzip_name(head: bytes) -> str | None:
    """The name that a gzip's header gives."""
    flags = head[3] if len(head) > 3 else 0
    if not flags & _GZIP_NAME:
        return None
    at = 10
    if flags & _GZIP_EXTRA:
        at += 2 + int.from_bytes(head[10:12], "little")
    end = head.find(b"\0", at)
    return head[at:end].decode("latin-1") if end > at else None
