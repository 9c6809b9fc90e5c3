"""The XML parts of a workbook: unpacked piece by piece, bounded, and never of a kind that expands."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from thetool.tables.reading.containers import check, too_large, unpacking
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.problems import DamagedTable, TableTooLarge

_CHUNK = 1 << 20
_LONGEST_PIECE = 16 << 20

ATTRIBUTES = rb"""([^<>"']*+(?:(?:"[^"<]*"|'[^'<]*')[^<>"']*+)*+>)?"""
"""What follows the name of a tag, to its end; empty where the tag has none, as XML forbids."""
_ATTRIBUTE = re.compile(rb"""([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


def checked_parts(archive: zipfile.ZipFile, limits: Limits) -> list[zipfile.ZipInfo]:
    """The parts of a workbook, none of which says that it is too large, nor do all together.

    Raises:
        DamagedTable: one is locked.
        TableTooLarge: they are too large.
    """
    found = archive.infolist()
    for member in found:
        check(member, limits.sheet_bytes)
    if sum(member.file_size for member in found) > limits.unpacked_bytes:
        raise TableTooLarge(too_large(limits.unpacked_bytes))
    return found


def pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits, end: bytes | None) -> Iterator[bytes]:
    """What a part unpacks to, each piece cut after an `end` where there is one; None: anywhere.

    Raises:
        DamagedTable: it cannot be unpacked, or has a document type (entities need one).
        TableTooLarge: it is larger than allowed.
    """
    rest, size, first = b"", 0, True
    with unpacking(f"{member.filename!r:.100} of the workbook"), archive.open(member) as inside:
        for chunk in _ahead(inside) if member.file_size > _CHUNK else iter(lambda: inside.read(_CHUNK), b""):
            size += len(chunk)
            if size > limits.sheet_bytes:
                raise TableTooLarge(f"{member.filename!r:.100} of the workbook is too large.")
            if first and b"<!DOCTYPE" in chunk[:4096].replace(b"\0", b"").upper():
                raise DamagedTable("The workbook has a document type, which no spreadsheet program writes.")
            first = False
            chunk = rest + chunk
            cut = _cut(chunk, end)
            rest = chunk[cut:]
            if cut:
                yield chunk[:cut]
    if rest:
        yield rest


def _ahead(inside: IO[bytes]) -> Iterator[bytes]:
    """What is in a file, piece by piece; the next is unpacked while this one is looked at."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(inside.read, _CHUNK)
        while chunk := coming.result():
            coming = thread.submit(inside.read, _CHUNK)
            yield chunk


def _cut(chunk: bytes, end: bytes | None) -> int:
    if end is None:
        return len(chunk)
    cut = chunk.rfind(end) + len(end) if end in chunk else 0
    if len(chunk) - cut <= _LONGEST_PIECE:
        return cut
    if b">" not in chunk:
        raise TableTooLarge("A cell of the workbook has more than 16 MiB.")
    return chunk.rfind(b">") + 1


def attributes(written: bytes) -> dict[bytes, bytes]:
    """The attributes of a tag, as `ATTRIBUTES` found them.

    Raises:
        DamagedTable: the tag has no end.
    """
    if not written:
        raise DamagedTable("A tag of the workbook has no end, or holds another one.")
    return {name: double or single for name, double, single in _ATTRIBUTE.findall(written)}
