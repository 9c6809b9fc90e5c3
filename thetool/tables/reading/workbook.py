"""A look into XLSX before it is read: is it safe, and what would be lost.

calamine (fastexcel) reads a sheet as a whole into memory, every cell of the rectangle around all cells. So each part is
unpacked here first, counted and thrown away: a part that is larger than it says, a rectangle of a billion cells, a
document type (no spreadsheet program writes one; entities need it) are refused. The same pass counts what calamine does
not tell: formulas without a value, errors, merged cells, the first row.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from thetool.tables.reading.cells import Cells
from thetool.tables.reading.containers import check, opened, unpacking
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.parts import checked_parts, pieces

_ROW_END = b"row>"  # of `</row>` and, from some programs, of `</x:row>`
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_NO_VALUE = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^<>]*/>)\s*"
    rb"(?:</(?:\w+:)?c>|<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)"
)
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\b[^<>]*\bref=["'][A-Z]+[0-9]+:""")
_SMALL_PART = 16 << 20


@dataclass
class Inside:
    """What was counted in one sheet."""

    sheet: str | None = None
    first_row: int = 1
    cells: int = 0
    formulas: int = 0
    without_value: int = 0
    errors: int = 0
    merged: int = 0


def look_inside(
    path: Path, sheet: str | None, limits: Limits, tell: Callable[[float], None], *, whole: bool = True
) -> Inside:
    """Check a whole XLSX file, and count what is in one of its sheets, the first when none is named.

    Args:
        whole: whether all parts are checked; else only that of the sheet is.

    Raises:
        DamagedTable, TableTooLarge: it is not safe to read.
    """
    with opened(path) as archive:
        sheet, part = _part_of(archive, sheet)
        found = Inside(sheet)
        members = checked_parts(archive, limits)
        total = sum(one.compress_size for one in members) or 1
        done = 0
        for member in members:
            name = _folded(member.filename)
            if name == part or (part is None and name.endswith(".xml")):
                found = max(found, _count(archive, member, limits, sheet), key=lambda one: one.cells)
            elif whole and name.endswith((".xml", ".rels", ".vml")):
                for _ in pieces(archive, member, limits, None):
                    pass
            done += member.compress_size
            tell(done / total)
    return found


def _folded(name: str) -> str:
    """The name of a part as calamine compares it: in either case, with either slash."""
    return name.replace("\\", "/").lower()


def _part_of(archive: zipfile.ZipFile, sheet: str | None) -> tuple[str | None, str | None]:
    """A sheet (the first, when none is named) and the part that holds it; None when that is not told: it may be any."""
    targets = {
        given.get("Id"): given.get("Target", "").removeprefix("/")
        for given in _tags(archive, "xl/_rels/workbook.xml.rels", "Relationship")
    }
    for given in _tags(archive, "xl/workbook.xml", "sheet"):
        if sheet is None or given.get("name") == sheet:
            target = next((targets.get(id_, "") for name, id_ in given.items() if name.endswith(":id")), "")
            part = _folded(target if target.startswith("xl/") else f"xl/{target}")
            return given.get("name"), part if part in map(_folded, archive.namelist()) else None
    return sheet, None


def _tags(archive: zipfile.ZipFile, part: str, wanted: str) -> list[dict[str, str]]:
    """The attributes of each tag of a name in a small part; none when it is no XML."""
    found: list[dict[str, str]] = []

    def begins(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == wanted:
            found.append(attributes)

    parser = expat.ParserCreate()
    parser.StartElementHandler = begins
    try:
        parser.Parse(_small(archive, part), True)
    except expat.ExpatError:
        return []
    return found


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        member = archive.getinfo(name)
    except KeyError:
        return b""
    check(member, _SMALL_PART)
    with unpacking("The workbook"):
        return archive.read(member)


def _count(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits, sheet: str | None) -> Inside:
    found, cells = Inside(sheet), Cells(limits)
    for piece in pieces(archive, member, limits, _ROW_END):
        usual = cells.add(piece)
        if b"<f" in piece or not usual:
            found.formulas += len(_FORMULA.findall(piece))
            found.without_value += len(_NO_VALUE.findall(piece))
        found.errors += piece.count(b't="e"') + (0 if usual else piece.count(b"t='e'"))
        found.merged += len(_MERGED.findall(piece)) if b"mergeCell" in piece else 0
    found.first_row, found.cells = cells.first_row or 1, cells.count
    return found
