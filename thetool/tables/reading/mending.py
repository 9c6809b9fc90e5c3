"""Text files that are not regular, written anew as regular CSV.

Short and long rows, blank lines, quotes in the middle of fields, NULs, old Macintosh line ends, several tables below
each other: Python's own reader takes them all, row by row. What was mended is counted, and nothing is lost: what a row
has too much goes into a column of its own.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from thetool.tables.reading.dialect import Dialect
from thetool.tables.reading.header import find_start, is_other_table
from thetool.tables.reading.problems import TableTooLarge
from thetool.tables.reading.report import OtherTable, ReadingNote

EXTRA = "extra_fields"
_AHEAD = 20
_EXAMPLES = 3


@dataclass
class Mended:
    """What was found while a text was written anew; lines count from 1, in the whole file."""

    rows: int = 0
    short: list[int] = field(default_factory=list)
    long: list[int] = field(default_factory=list)
    short_count: int = 0
    long_count: int = 0
    blank: list[int] = field(default_factory=list)
    blank_count: int = 0
    blank_at_end: int = 0
    nuls: int = 0
    others: list[OtherTable] = field(default_factory=list)

    @property
    def has_extra(self) -> bool:
        """Whether some row had too many fields."""
        return self.long_count > 0

    def notes(self, width: int) -> list[ReadingNote]:
        """What people should know of it."""
        notes = []
        if self.short_count:
            told = (
                f"{_rows(self.short_count)} fewer than {width} fields ({_at(self.short)}); the missing ones are empty."
            )
            notes.append(ReadingNote(code="short_rows", message=told, count=self.short_count))
        if self.long_count:
            told = f"{_rows(self.long_count)} more than {width} fields ({_at(self.long)}); the rest is in {EXTRA!r}."
            notes.append(ReadingNote(code="long_rows", message=told, count=self.long_count))
        if self.nuls:
            characters = "1 NUL character was" if self.nuls == 1 else f"{self.nuls:,} NUL characters were"
            told = f"{characters} left out; no text has them."
            notes.append(ReadingNote(code="nul_characters", message=told, count=self.nuls))
        if within := self.blank_count - self.blank_at_end:
            lines = "One blank line was" if within == 1 else f"{within:,} blank lines were"
            where = _at(self.blank[:within])
            told = f"{lines} left out ({where}). Should another table begin below one, ask for it with header_row."
            notes.append(ReadingNote(code="blank_lines", message=told, count=within))
        return notes + others_note(self.others, "lines")


def others_note(others: list[OtherTable], unit: str) -> list[ReadingNote]:
    """That there are further tables, and where."""
    if not others:
        return []
    where = ", ".join(f"{unit} {other.first_line:,} to {other.last_line:,}" for other in others[:5])
    told = f"There are further tables in the file ({where}); this is the first. Ask for another with header_row, and "
    told += "for all as one table with last_row."
    return [ReadingNote(code="other_tables", message=told, count=len(others))]


def _rows(count: int) -> str:
    return "One row has" if count == 1 else f"{count:,} rows have"


def _at(lines: list[int]) -> str:
    return ("line " if len(lines) == 1 else "first at lines ") + ", ".join(f"{line:,}" for line in lines)


class Stretch(io.RawIOBase):
    """The bytes of a file between two positions."""

    def __init__(self, path: Path, start: int, end: int) -> None:
        self._file = path.open("rb")
        self._file.seek(start)
        self._left = end - start

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill the buffer, as far as the stretch goes."""
        count = self._file.readinto(memoryview(buffer)[: max(0, min(len(buffer), self._left))])
        self._left -= count
        return count

    def position(self) -> int:
        """Where in the file it is."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()


def text_of(stretch: Stretch) -> io.TextIOWrapper:
    """Its lines, with the line ends that they have."""
    return io.TextIOWrapper(io.BufferedReader(stretch, 1 << 20), encoding="utf-8", errors="replace", newline="")


@dataclass(frozen=True)
class Shape:
    """The table that is looked for: its width, its names when it has some, the line of its first row, its dialect, and
    whether all is one table, as the request says.
    """

    width: int
    names: list[str] | None
    first_line: int
    dialect: Dialect
    is_one: bool = False


def mend(source: Path, start: int, end: int, shape: Shape, target: Path, tell: Callable[[float], None]) -> Mended:
    """Write what is between two positions as regular CSV (comma, double quotes).

    Rows have `shape.width` fields, and one more where the row had too many.

    Raises:
        TableTooLarge: a field is longer than 16 MiB; mostly a quote that is never closed.
    """
    with Stretch(source, start, end) as stretch, target.open("w", newline="", encoding="utf-8") as out:
        mending = _Mending(stretch, shape, lambda: tell((stretch.position() - start) / max(1, end - start)))
        try:
            rows = mending.rows()
            first = [[*row, ""][: shape.width + 1] for row in islice(rows, 1)]  # Polars counts the fields of this one
            csv.writer(out, lineterminator="\n").writerows(chain(first, rows))
        except csv.Error as error:
            told = f"A field near line {mending.line:,} has no end ({error}); is a quote never closed?"
            raise TableTooLarge(f'{told} Ask for quote "" when quotes are only characters here.') from error
    return mending.found


class _Mending:
    """The rows of a table, one after the other; what is odd about them is counted."""

    def __init__(self, stretch: Stretch, shape: Shape, tell: Callable[[], None]) -> None:
        self.found = Mended()
        self._shape, self._tell = shape, tell
        self._reader = shape.dialect.rows(self._lines(text_of(stretch)))

    @property
    def line(self) -> int:
        """The line where the reader is."""
        return self._shape.first_line + self._reader.line_num - 1  # type: ignore[attr-defined, no-any-return]

    def _lines(self, text: io.TextIOWrapper) -> Iterator[str]:
        """Lines without NULs, which are counted."""
        for number, line in enumerate(text):
            if "\0" in line:
                self.found.nuls += line.count("\0")
                line = line.replace("\0", "")
            if number & 0x3FFF == 0:
                self._tell()
            yield line

    def rows(self) -> Iterator[list[str]]:
        """The rows of the first table."""
        width, found = self._shape.width, self.found
        ahead: deque[tuple[int, list[str]]] = deque()
        while True:
            if ahead:
                line, row = ahead.popleft()
            else:
                for row in self._reader:
                    if len(row) != width:
                        break
                    found.rows += 1
                    yield row
                else:
                    return
                line = self._start_of(row)
            if row:
                found.rows += 1
                found.blank_at_end = 0
                yield self._fitted(row, line)
                continue
            found.blank_count += 1
            found.blank_at_end += 1
            found.blank += [line] if len(found.blank) < _EXAMPLES else []
            ahead += [(self._start_of(one), one) for one in islice(self._reader, _AHEAD - len(ahead))]
            if ahead and ahead[0][1] and self._begins_another([one for _, one in ahead]):
                _note_others(chain(ahead, ((self._start_of(one), one) for one in self._reader)), found)
                return

    def _begins_another(self, ahead: list[list[str]]) -> bool:
        """Whether these rows, after a blank line, are the beginning of another table."""
        return not self._shape.is_one and is_other_table(ahead, self._shape.width, self._shape.names)

    def _start_of(self, row: list[str]) -> int:
        """The line where the row begins that was just read."""
        return self.line - sum(field.count("\n") for field in row)

    def _fitted(self, row: list[str], line: int) -> list[str]:
        """The row with as many fields as the table has, and one more for what is too much."""
        width, found = self._shape.width, self.found
        if len(row) < width:
            found.short_count += 1
            found.short += [line] if len(found.short) < _EXAMPLES else []
            return row + [""] * (width - len(row))
        extra = row[width:]
        if not any(extra):
            return row[:width]
        found.long_count += 1
        found.long += [line] if len(found.long) < _EXAMPLES else []
        return [*row[:width], self._shape.dialect.delimiter.join(extra)]


def _note_others(rows: Iterator[tuple[int, list[str]]], found: Mended) -> None:
    """The tables that follow, divided by blank lines."""
    part: list[tuple[int, list[str]]] = []
    last = 0
    for line, row in chain(rows, [(0, [])]):
        if row:
            last = line
            part += [(line, row)] if len(part) < _AHEAD else []
        elif part:
            place = find_start([one for _, one in part])
            first, names = part[place.start]
            if place.width > 1:
                found.others.append(
                    OtherTable(first_line=first, last_line=last, columns=place.width, names=names[:100])
                )
            part = []
