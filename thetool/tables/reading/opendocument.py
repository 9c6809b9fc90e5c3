"""A look into ODS before it is read: calamine repeats rows and cells as often as the file says, be it a billion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from thetool.tables.reading.cells import too_many
from thetool.tables.reading.containers import opened
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.parts import ATTRIBUTES, attributes, checked_parts, pieces
from thetool.tables.reading.problems import DamagedTable

_TAG = re.compile(rb"<table:(table|table-row|table-cell|covered-table-cell)(?=[\s/>])" + ATTRIBUTES)
_ROW_END = b"</table:table-row>"
_COLUMNS, _ROWS = b"table:number-columns-repeated", b"table:number-rows-repeated"


def look_inside(path: Path, limits: Limits, tell: Callable[[float], None]) -> dict[str, int]:
    """Check a whole ODS file; cells that are repeated count as often as they are.

    Returns:
        The first row of each sheet that has a value.

    Raises:
        DamagedTable, TableTooLarge: it is not safe to read.
    """
    first_rows: dict[str, int] = {}
    with opened(path) as archive:
        for member in checked_parts(archive, limits):
            if member.filename == "content.xml":
                first_rows = _check(pieces(archive, member, limits, _ROW_END), limits)
            elif member.filename.endswith(".xml"):
                for _ in pieces(archive, member, limits, None):
                    pass
    tell(1.0)
    return first_rows


@dataclass
class _Grid:
    """The rectangle of one sheet, as it is gone through."""

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
            cells = (self.before + self.times) * self.columns
            if cells > self.limits.cells:
                raise too_many(cells, self.limits)


def _check(parts: Iterator[bytes], limits: Limits) -> dict[str, int]:
    """Refuse a sheet of which calamine would make too large a rectangle; the first row of the others."""
    grids: dict[str, _Grid] = {}
    grid = _Grid(limits)
    for part in parts:
        for tag, written in _TAG.findall(part):
            if tag == b"table-row":
                grid.row(_times(written, _ROWS))
            elif tag == b"table":
                name = attributes(written).get(b"table:name", b"").decode("utf-8", "replace")
                grid = grids.setdefault(unescape(name), _Grid(limits))
            else:
                grid.cell(_times(written, _COLUMNS), b"office:" in written)
    return {name: found.first_row for name, found in grids.items()}


def _times(written: bytes, name: bytes) -> int:
    """How often a row or a cell comes."""
    if written and name not in written:
        return 1
    given = attributes(written).get(name, b"1").strip()
    if not given.isdigit():
        raise DamagedTable(f"A cell of the workbook is repeated {given.decode('utf-8', 'replace')!r:.40} times.")
    return int(given[:20])
