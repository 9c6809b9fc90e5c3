"""A look into XLSX and ODS before they are read: is it safe, which sheets are there, what would be lost.

calamine (fastexcel) reads a sheet as a whole into memory, every cell of the rectangle around all cells. So each part is
unpacked here first, counted and thrown away: a part that is larger than it says, a rectangle of a billion cells, a
document type (no spreadsheet program writes one; entities need it) are refused. The same pass counts what calamine does
not tell: formulas without a value, errors, merged cells, the first row.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import IO

import numpy as np

from thetool.tables.reading.containers import check, opened, unpacking
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.problems import DamagedTable, TableTooLarge

_CHUNK = 1 << 20
_LONGEST_ROW = 16 << 20
_LONGEST_PLACE = 10  # letters or digits that are looked at; XFD1048576 is the last that Excel knows
_USUAL_CELL = b'<c r="'
_ROW_END = b"row>"  # of `</row>` and, from some programs, of `</x:row>`
_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br\s*=\s*["\']([A-Za-z]{1,10})([0-9]{1,10})["\']')
_NO_VALUE = (b"</f></c>", b"</f><v/>", b"</f><v />", b"</f><v></v>")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="[A-Z]+[0-9]+:')
_ODS_TOKEN = re.compile(rb"<table:table-row\b[^>]*>|<table:(?:covered-)?table-cell\b[^>]*>|<table:table\b[^>]*>")
_COLUMNS_REPEATED = re.compile(rb'number-columns-repeated="([0-9]{1,9})"')
_ROWS_REPEATED = re.compile(rb'number-rows-repeated="([0-9]{1,9})"')


def _values_of(digits: bytes, first: int) -> np.ndarray:
    """What each byte is worth as a digit; -1 where it is none."""
    values = np.full(256, -1, np.int64)
    values[list(digits)] = np.arange(first, first + len(digits))
    return values


_DIGITS = _values_of(b"0123456789", 0)
_LETTERS = np.maximum(_values_of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1), _values_of(b"abcdefghijklmnopqrstuvwxyz", 1))


@dataclass
class Inside:
    """What was counted in one sheet."""

    first_row: int = 1
    last_row: int = 0
    columns: int = 0
    formulas: int = 0
    without_value: int = 0
    errors: int = 0
    merged: int = 0


def look_inside(path: Path, sheet: str, limits: Limits, tell: Callable[[float], None]) -> Inside:
    """Check a whole XLSX file, and count what is in one of its sheets.

    Raises:
        DamagedTable, TableTooLarge: it is not safe to read.
    """
    found = Inside()
    with opened(path) as archive:
        part = _part_of(archive, sheet)
        members = archive.infolist()
        total = sum(one.compress_size for one in members) or 1
        done = 0
        for member in members:
            check(member, limits.sheet_bytes)
            if member.filename == part:
                _count(_parts(archive, member, limits, _ROW_END), found, limits)
            elif member.filename.endswith((".xml", ".rels", ".vml")):
                for _ in _parts(archive, member, limits, None):
                    pass
            done += member.compress_size
            tell(done / total)
    return found


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The part that holds a sheet."""
    workbook = _small(archive, "xl/workbook.xml")
    relations = _small(archive, "xl/_rels/workbook.xml.rels")
    targets: dict[str, str] = {}
    for tag in re.findall(r"<Relationship\b[^>]*>", relations):
        target = _attribute(tag, "Target").lstrip("/")
        targets[_attribute(tag, "Id")] = target if target.startswith("xl/") else f"xl/{target}"
    for tag in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", workbook):
        if unescape(_attribute(tag, "name")) == sheet:
            return targets.get(_attribute(tag, r"\w+:id"), "")
    return ""


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf"""\s{name}\s*=\s*(?:"([^"]*)"|'([^']*)')""", tag)
    return (found[1] or found[2] or "") if found else ""


def _small(archive: zipfile.ZipFile, name: str) -> str:
    try:
        member = archive.getinfo(name)
    except KeyError:
        return ""
    check(member, 16 << 20)
    with unpacking("The workbook"):
        return archive.read(member).decode("utf-8", "replace")


def _parts(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits, end: bytes | None) -> Iterator[bytes]:
    """What a part unpacks to, cut after the last `end` of each piece."""
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
            cut = chunk.rfind(end) + len(end) if end and end in chunk else 0
            cut = len(chunk) if end is None or len(chunk) - cut > _LONGEST_ROW else cut
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


def _count(parts: Iterator[bytes], found: Inside, limits: Limits) -> None:
    first = True
    for part in parts:
        if b"<f" in part:
            found.formulas += part.count(b"<f>") + part.count(b"<f ")
            found.without_value += sum(map(part.count, _NO_VALUE))
        found.errors += part.count(b't="e')
        found.merged += len(_MERGED.findall(part)) if b"mergeCell" in part else 0
        columns, rows = _places(part)
        if len(rows):
            found.first_row = int(rows.min()) if first else min(found.first_row, int(rows.min()))
            first = False
            found.columns = max(found.columns, int(columns.max()))
            found.last_row = max(found.last_row, int(rows.max()))
        _check_cells((found.last_row - found.first_row + 1) * found.columns, limits)


def _places(part: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Column and row of each cell by its attribute `r`; all at once where cells are written as usual, `<c r="B12"`."""
    octets = np.frombuffer(part + bytes(2 * _LONGEST_PLACE), np.uint8)
    tags = np.flatnonzero((octets[1:-1] == ord("c")) & (octets[2:] <= ord(" ")))
    tags = tags[(octets[tags] == ord("<")) | (octets[tags] == ord(":"))]
    usual = np.ones(len(tags), bool)
    for at, octet in enumerate(_USUAL_CELL):
        usual &= octets[tags + at] == octet
    if not usual.all():
        found = [(_column(letters), int(row)) for letters, row in _CELL.findall(part)]
        places = np.array(found, np.int64).reshape(-1, 2)
        return places[:, 0], places[:, 1]
    columns, after = _numbers(octets, tags + len(_USUAL_CELL), _LETTERS, 26)
    return columns, _numbers(octets, after, _DIGITS, 10)[0]


def _numbers(octets: np.ndarray, starts: np.ndarray, digits: np.ndarray, base: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers that begin at these places, and where they end."""
    numbers, places = np.zeros(len(starts), np.int64), starts
    for _ in range(_LONGEST_PLACE):
        found = digits[octets[places]]
        more = found >= 0
        if not more.any():
            break
        numbers = np.where(more, numbers * base + found, numbers)
        places = places + more
    return numbers, places


def _check_cells(cells: int, limits: Limits) -> None:
    if cells > limits.cells:
        told = f"Its cells span {cells:,}, empty ones between them counted; {limits.cells:,} are the most."
        raise TableTooLarge(f"{told} Delete what stands far from the table, or save it as CSV.")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def look_inside_ods(path: Path, limits: Limits, tell: Callable[[float], None]) -> dict[str, int]:
    """Check a whole ODS file; cells that are repeated count as often as they are.

    Returns:
        The first row of each sheet that has a value.

    Raises:
        DamagedTable, TableTooLarge: it is not safe to read.
    """
    first_rows: dict[str, int] = {}
    with opened(path) as archive:
        for member in archive.infolist():
            check(member, limits.sheet_bytes)
            if member.filename == "content.xml":
                first_rows = _check_ods(_parts(archive, member, limits, b">"), limits)
            elif member.filename.endswith(".xml"):
                for _ in _parts(archive, member, limits, None):
                    pass
    tell(1.0)
    return first_rows


@dataclass
class _Grid:
    """The rectangle of one ODS sheet, as it is gone through."""

    limits: Limits
    before: int = 0  # rows above this one
    times: int = 0  # that this row comes
    width: int = 0
    columns: int = 0
    first_row: int = 0

    def row(self, times: int) -> None:
        """A row begins."""
        self.before += self.times
        self.times, self.width = times, 0

    def cell(self, times: int, filled: bool) -> None:
        """A cell; what is empty counts when something comes after it."""
        self.width += times
        if filled:
            self.first_row = self.first_row or self.before + 1
            self.columns = max(self.columns, self.width)
            _check_cells((self.before + self.times) * self.columns, self.limits)


def _check_ods(parts: Iterator[bytes], limits: Limits) -> dict[str, int]:
    """Refuse a sheet of which calamine would make too large a rectangle; the first row of the others."""
    grids: dict[str, _Grid] = {}
    grid = _Grid(limits)
    for part in parts:
        for token in _ODS_TOKEN.findall(part):
            if token.startswith(b"<table:table-row"):
                grid.row(_repeated(_ROWS_REPEATED, token))
            elif b"table-cell" in token[:32]:
                grid.cell(_repeated(_COLUMNS_REPEATED, token), b"value-type=" in token)
            else:
                name = unescape(_attribute(token.decode("utf-8", "replace"), "table:name"))
                grid = grids.setdefault(name, _Grid(limits))
    return {name: found.first_row for name, found in grids.items()}


def _repeated(pattern: re.Pattern[bytes], token: bytes) -> int:
    found = pattern.search(token)
    return int(found[1]) if found else 1
