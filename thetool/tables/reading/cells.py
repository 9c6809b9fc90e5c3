"""Which rectangle the cells of an XLSX sheet span, as calamine makes it: wherever a cell says that it is, or does not.

Nearly all programs write `<c r="B7"`, and these are gone through all at once. What is written otherwise (a prefix,
single quotes, no place at all: then a cell follows the one before) is gone through tag by tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from thetool.tables.reading.limits import Limits
from thetool.tables.reading.parts import ATTRIBUTES, attributes
from thetool.tables.reading.problems import DamagedTable, TableTooLarge

_USUAL = b'<c r="'
_LONGEST_PLACE = 10  # letters or digits that are looked at; XFD1048576 is the last that Excel knows
_PREFIX = rb"(?:[^\s<>/\"'=:]+:)?"
_TAG = re.compile(rb"<(/?)" + _PREFIX + rb"(row|c)(?=[\s/>])" + ATTRIBUTES)
_VALUE = re.compile(rb"<" + _PREFIX + rb"(?:v\b[^<>]*>[^<]|is[\s>])")
_PLACE = re.compile(rb"([A-Z]*)([0-9]{1,9})")


def _values_of(digits: bytes, first: int) -> np.ndarray:
    """What each byte is worth as a digit; -1 where it is none."""
    values = np.full(256, -1, np.int64)
    values[list(digits)] = np.arange(first, first + len(digits))
    return values


_DIGITS = _values_of(b"0123456789", 0)
_LETTERS = np.maximum(_values_of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1), _values_of(b"abcdefghijklmnopqrstuvwxyz", 1))


class Cells:
    """The cells of a sheet, piece by piece; rows and columns count from 1.

    Args:
        limits: how many there may be, empty ones between others counted.
    """

    def __init__(self, limits: Limits) -> None:
        self.first_row = 0
        """The row of the first cell with a value; 0 when there is none."""
        self.count = 0
        self._limits = limits
        self._top, self._bottom, self._columns = 1 << 30, 0, 0
        self._row = self._column = 1  # where a cell is that does not say

    def add(self, piece: bytes) -> bool:
        """Go through the next piece of the sheet's XML.

        Returns:
            Whether all its cells are written as usual.

        Raises:
            DamagedTable: a cell is at no place, or its tag has no end.
            TableTooLarge: there are too many cells, or they are too far apart.
        """
        if not self.first_row and (value := _VALUE.search(piece)):
            self.first_row = self._last_row(piece[: value.start()])
        usual = _usual_places(piece)
        if usual is None:
            for row, column in self._places(piece):
                self._top, self._bottom = min(self._top, row), max(self._bottom, row)
                self._columns = max(self._columns, column)
                self.count += 1
        elif len(usual[0]):
            self._add_usual(piece, *usual)
        self._check()
        return usual is not None

    def _add_usual(self, piece: bytes, columns: np.ndarray, rows: np.ndarray) -> None:
        self._top, self._bottom = min(self._top, int(rows.min())), max(self._bottom, int(rows.max()))
        self._columns = max(self._columns, int(columns.max()))
        self.count += len(columns)
        # no lower than calamine's, should a piece follow whose cells do not say where they are
        self._row = max(self._row, self._bottom) + piece.count(b"row")
        self._column = self._columns + 1

    def _last_row(self, piece: bytes) -> int:
        """The row of the last cell that begins in a piece, which is gone through again later."""
        here = self._row, self._column
        row = self._row
        for row, _ in self._places(piece):  # noqa: B007  the last is wanted
            pass
        self._row, self._column = here
        return row

    def _places(self, piece: bytes) -> Iterator[tuple[int, int]]:
        """Row and column of each cell, as calamine counts them."""
        for ends, tag, written in _TAG.findall(piece):
            place = None if ends else attributes(written).get(b"r")
            letters, row = _parsed(place) if place is not None else (b"", self._row)
            if tag == b"c" and not ends:
                self._column = _number(letters) if place is not None else self._column
                yield row, self._column
                self._column += 1
            elif tag == b"row":
                self._row = row
                if ends or written.endswith(b"/>"):
                    self._row, self._column = row + 1, 1

    def _check(self) -> None:
        spanned = max(self.count, (self._bottom - self._top + 1) * self._columns)
        if spanned > self._limits.cells:
            raise too_many(spanned, self._limits)


def _usual_places(piece: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """Column and row of each cell, all at once, where each is written as usual; else None."""
    octets = np.frombuffer(piece + bytes(2 * _LONGEST_PLACE), np.uint8)
    after = octets[2:]
    ends = (after <= ord(" ")) | (after == ord(">")) | (after == ord("/"))
    tags = np.flatnonzero((octets[1:-1] == ord("c")) & ends)
    tags = tags[(octets[tags] == ord("<")) | (octets[tags] == ord(":"))]
    for at, octet in enumerate(_USUAL):
        if not (octets[tags + at] == octet).all():
            return None
    columns, after = _numbers(octets, tags + len(_USUAL), _LETTERS, 26)
    rows, after = _numbers(octets, after, _DIGITS, 10)
    return (columns, rows) if (octets[after] == ord('"')).all() else None


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


def too_many(cells: int, limits: Limits) -> TableTooLarge:
    """That a sheet has too many cells, with what to do about it."""
    told = f"Its cells span {cells:,}, empty ones between them counted; {limits.cells:,} are the most."
    return TableTooLarge(f"{told} Delete what stands far from the table, or save it as CSV.")


def _parsed(place: bytes) -> tuple[bytes, int]:
    """Letters of the column (none in the place of a row) and number of the row."""
    found = _PLACE.fullmatch(place.upper())
    if not found:
        raise DamagedTable(f"A cell of the workbook says that it is at {place.decode('utf-8', 'replace')!r:.40}.")
    return found[1], int(found[2])


def _number(letters: bytes) -> int:
    """The number of a column: 28 of `AB`."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
