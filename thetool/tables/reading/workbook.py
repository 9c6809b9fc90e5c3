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
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from thetool.tables.reading.containers import check, opened, unpacking
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.problems import DamagedTable, TableTooLarge

_CHUNK = 1 << 20
_LONGEST_ROW = 16 << 20
_ROW_END = b"row>"  # of `</row>` and, from some programs, of `</x:row>`
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br=["\']([A-Z]{1,3})([0-9]{1,7})["\']')
_LAST_CELL = re.compile(rb'r=["\']([A-Z]{1,3})([0-9]{1,7})["\']')
_NO_VALUE = (b"</f></c>", b"</f><v/>", b"</f><v />", b"</f><v></v>")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="[A-Z]+[0-9]+:')
_ODS_TOKEN = re.compile(rb"<table:table-row\b[^>]*>|<table:(?:covered-)?table-cell\b[^>]*>|<table:table\b[^>]*>")
_COLUMNS_REPEATED = re.compile(rb'number-columns-repeated="([0-9]{1,9})"')
_ROWS_REPEATED = re.compile(rb'number-rows-repeated="([0-9]{1,9})"')


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
        while chunk := inside.read(_CHUNK):
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


def _count(parts: Iterator[bytes], found: Inside, limits: Limits) -> None:
    first = True
    for part in parts:
        if b"</f>" in part:
            found.formulas += part.count(b"<f>") + part.count(b"<f ")
            found.without_value += sum(map(part.count, _NO_VALUE))
        found.errors += part.count(b't="e"')
        found.merged += len(_MERGED.findall(part)) if b"mergeCell" in part else 0
        if first and (cell := _CELL.search(part)):
            found.first_row = int(cell[2])
            first = False
        for row in part.split(_ROW_END):
            last = _LAST_CELL.search(row, max(0, row.rfind(b"<c "), row.rfind(b":c ")))
            if last:
                found.columns = max(found.columns, _column(last[1]))
                found.last_row = max(found.last_row, int(last[2]))
        _check_cells((found.last_row - found.first_row + 1) * found.columns, limits)


def _check_cells(cells: int, limits: Limits) -> None:
    if cells > limits.cells:
        told = f"Its cells span {cells:,}, empty ones between them counted; {limits.cells:,} are the most."
        raise TableTooLarge(f"{told} Delete what stands far from the table, or save it as CSV.")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
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
