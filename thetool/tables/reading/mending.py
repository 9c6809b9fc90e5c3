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
from thetool.tables.reading.header import find_start
from thetool.tables.reading.problems import TableTooLarge
from thetool.tables.reading.report import Note, OtherTable

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
    blank: int = 0
    nuls: int = 0
    has_extra: bool = False
    others: list[OtherTable] = field(default_factory=list)

    def notes(self, width: int) -> list[Note]:
        """What people should know of it."""
        notes = []
        if self.short_count:
            told = (
                f"{_rows(self.short_count)} fewer than {width} fields ({_at(self.short)}); the missing ones are empty."
            )
            notes.append(Note(code="short_rows", message=told, count=self.short_count))
        if self.long_count:
            told = f"{_rows(self.long_count)} more than {width} fields ({_at(self.long)}); the rest is in {EXTRA!r}."
            notes.append(Note(code="long_rows", message=told, count=self.long_count))
        if self.nuls:
            told = f"{self.nuls:,} NUL characters were left out; no text has them."
            notes.append(Note(code="nul_characters", message=told, count=self.nuls))
        if self.others:
            where = ", ".join(f"lines {other.first_line:,} to {other.last_line:,}" for other in self.others[:5])
            told = (
                f"There are further tables in the file ({where}); this is the first. Ask for another with header_row."
            )
            notes.append(Note(code="other_tables", message=told, count=len(self.others)))
        return notes


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


def mend(
    source: Path, start: int, end: int, dialect: Dialect, names: list[str] | None, width: int, first_line: int,
    target: Path, tell: Callable[[float], None],
) -> Mended:  # fmt: skip
    """Write what is between two positions as regular CSV (comma, double quotes), `width` fields and the extra ones.

    Raises:
        TableTooLarge: a field is longer than 16 MiB; mostly a quote that is never closed.
    """
    found = Mended()
    with Stretch(source, start, end) as stretch, target.open("w", newline="", encoding="utf-8") as out:
        lines = _Lines(text_of(stretch), found)
        reader = dialect.rows(lines)
        write = csv.writer(out, lineterminator="\n").writerow
        rows = _numbered(reader, first_line)
        line = first_line
        try:
            for line, row in _first_table(rows, width, names, found):
                write(_fitted(row, width, line, dialect, found))
                found.rows += 1
                if found.rows % 10_000 == 0:
                    tell((stretch.position() - start) / max(1, end - start))
        except csv.Error as error:
            told = f"A field near line {line:,} has no end ({error}); is a quote never closed?"
            raise TableTooLarge(f'{told} Ask for quote "" when quotes are only characters here.') from error
    return found


class _Lines:
    """Lines without NULs, which are counted."""

    def __init__(self, lines: io.TextIOWrapper, found: Mended) -> None:
        self._lines, self._found = lines, found

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            if "\0" in line:
                self._found.nuls += line.count("\0")
                line = line.replace("\0", "")
            yield line


def _numbered(reader: Iterator[list[str]], first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line where it begins."""
    line = first_line
    for row in reader:
        yield line, row
        line = first_line + reader.line_num  # type: ignore[attr-defined]


def _first_table(
    rows: Iterator[tuple[int, list[str]]], width: int, names: list[str] | None, found: Mended
) -> Iterator[tuple[int, list[str]]]:
    """The rows of the table; blank lines are left out, and other tables are noted."""
    ahead: deque[tuple[int, list[str]]] = deque()
    while numbered := ahead.popleft() if ahead else next(rows, None):
        if numbered[1]:
            yield numbered
            continue
        found.blank += 1
        ahead += islice(rows, _AHEAD - len(ahead))
        if _is_other_table([row for _, row in ahead], width, names):
            _note_others(chain(ahead, rows), found)
            return


def _is_other_table(ahead: list[list[str]], width: int, names: list[str] | None) -> bool:
    filled = [row for row in ahead if row]
    if len(filled) < 2:
        return False
    place = find_start(filled)
    return place.has_names and place.width > 1 and (place.width != width or filled[place.start] == names)


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


def _fitted(row: list[str], width: int, line: int, dialect: Dialect, found: Mended) -> list[str]:
    """The row with `width` fields and the extra one."""
    if len(row) == width:
        return [*row, ""]
    if len(row) < width:
        found.short_count += 1
        found.short += [line] if len(found.short) < _EXAMPLES else []
        return [*row, *[""] * (width - len(row) + 1)]
    extra = row[width:]
    if not any(extra):
        return [*row[:width], ""]
    found.long_count += 1
    found.has_extra = True
    found.long += [line] if len(found.long) < _EXAMPLES else []
    return [*row[:width], dialect.delimiter.join(extra)]
