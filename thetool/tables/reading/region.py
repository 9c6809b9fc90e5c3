"""Where the table is in a text file of UTF-8: its first lines, its names, its first and last row."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from thetool.tables.reading import header
from thetool.tables.reading.dialect import Dialect
from thetool.tables.reading.draft import Draft
from thetool.tables.reading.limits import LIMITS
from thetool.tables.reading.names import named
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.problems import EmptyTable, NotATable, TableTooLarge, UnfitReadOptions
from thetool.tables.reading.report import Choice, Lines, ReadingNote

HEAD = 1 << 20
LONGEST_LINE = 16 << 20
TAIL = 1 << 16
_KEPT_LINES, _KEPT_CHARACTERS = 100, 1_000
_FIRST_ROWS = 1_000
_LINE_END = re.compile(rb"\r\n|\n|\r")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1b]")


@dataclass(frozen=True)
class Region:
    """The table in a file of UTF-8: where its data are, in bytes and in lines."""

    start: int
    end: int
    first_line: int
    width: int
    names: list[str] | None
    is_asked: bool = False
    """Whether the request says where it ends: then all up to there is one table."""


@dataclass(frozen=True)
class Head:
    """The first lines of a file: their text, and where each begins."""

    text: str
    offsets: list[int]
    whole: bool
    size: int


def read_head(path: Path, start: int) -> Head:
    """The first lines of a file, of which a mark of `start` bytes is no part.

    Raises:
        EmptyTable, NotATable, TableTooLarge: there is nothing, no text, or a line without an end.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(start)
        content = file.read(HEAD)
        if len(content) == HEAD and b"\n" not in content and b"\r" not in content:
            content += file.read(LONGEST_LINE - HEAD)
    whole = start + len(content) >= size
    if not whole:
        cut = max(content.rfind(b"\n"), content.rfind(b"\r")) + 1
        if not cut:
            raise TableTooLarge("The first line is longer than 16 MiB: no table has that.")
        content = content[:cut]
    if not content.strip():
        raise EmptyTable("The file is empty, or begins with a megabyte of blanks. Send one with a row at least.")
    text = content.decode("utf-8", "replace")
    if len(_CONTROL.findall(content)) > 8 + len(content) / 20:
        raise NotATable("It is no text: too many of its bytes are control characters. Which program wrote it?")
    ends = [found.end() for found in _LINE_END.finditer(content)]
    return Head(text, [start, *(start + end for end in ends)], whole, size)


def find_region(path: Path, head: Head, dialect: Dialect, options: ReadOptions, draft: Draft) -> Region:
    """Where the table is; header, names, preamble and footer go into the draft."""
    rows, lines = _rows_with_lines(head.text, dialect, whole=head.whole)
    if not any(field.strip(" \t,;|") for row in rows for field in row):
        if len(rows) == _FIRST_ROWS:
            raise EmptyTable(f"Its first {_FIRST_ROWS:,} lines are blank. Send it without them.")
        raise EmptyTable("The file has no row. Send one with a row at least.")
    place = _place(rows, lines, options)
    first = rows[place.start]
    width = max(place.width, len(first)) if place.has_names else place.width
    if width > LIMITS.columns:
        raise TableTooLarge(f"It has {width:,} columns; {LIMITS.columns:,} are the most.")
    data_line = lines[place.start + 1] if place.has_names else lines[place.start]
    draft.originals = [*first, *[None] * (width - len(first))] if place.has_names else [None] * width
    draft.names, renamed = named(draft.originals)
    draft.header = Choice(
        value=lines[place.start] if place.has_names else 0, reason=place.reason, asked=options.header_row is not None
    )
    draft.notes += renamed if place.has_names else [_no_names(width)]
    draft.preamble = _kept(head.text, 1, lines[place.start] - 1)
    start = head.offsets[data_line - 1] if data_line <= len(head.offsets) else head.size
    end = _end(path, start, data_line, dialect, width, options, draft)
    names = list(first) if place.has_names else None
    return Region(start, end, data_line, width, names, is_asked=options.last_row is not None)


def _no_names(width: int) -> ReadingNote:
    told = f"The columns have no names in the file; they are called column_1 to column_{width}."
    return ReadingNote(code="no_header", message=told, count=width)


def _rows_with_lines(text: str, dialect: Dialect, *, whole: bool) -> tuple[list[list[str]], list[int]]:
    """The first rows, and the line where each begins (and one more: where the next would)."""
    rows, lines = [], [1]
    reader = dialect.rows(io.StringIO(text, newline=""))
    for row in reader:
        rows.append(row)
        lines.append(reader.line_num + 1)  # type: ignore[attr-defined]
        if len(rows) >= _FIRST_ROWS:
            return rows, lines
    return (rows, lines) if whole or len(rows) < 2 else (rows[:-1], lines[:-1])


def _place(rows: list[list[str]], lines: list[int], options: ReadOptions) -> header.Place:
    if options.header_row is None:
        return header.find_start(rows)
    if options.header_row == 0:
        found = header.find_start(rows)
        return header.Place(found.start, False, found.width, "It was asked for: no row has names.")
    if options.header_row not in lines[:-1]:
        told = f"No row begins at line {options.header_row:,} of the first {lines[-1] - 1:,} lines."
        raise UnfitReadOptions(f"{told} header_row counts lines from 1; 0 says that there are no names.")
    start = lines.index(options.header_row)
    return header.Place(start, True, header.common_width(rows[start : start + 50]), "It was asked for.")


def _kept(text: str, first: int, last: int) -> Lines | None:
    """Lines of the text, to be told."""
    if last < first:
        return None
    lines = re.split(r"\r\n|\n|\r", text)[first - 1 : last]
    kept = [line[:_KEPT_CHARACTERS] for line in lines[:_KEPT_LINES]]
    return Lines(first_line=first, count=last - first + 1, text=kept) if any(map(str.strip, lines)) else None


def _end(
    path: Path, start: int, data_line: int, dialect: Dialect, width: int, options: ReadOptions, draft: Draft
) -> int:
    """Where the table ends, in bytes."""
    size = path.stat().st_size
    if options.last_row is not None:
        return _end_of_line(path, start, data_line, options.last_row)
    tail_start = _line_start(path, max(start, size - TAIL), start)
    with path.open("rb") as file:
        file.seek(tail_start)
        content = file.read()
    text = content.decode("utf-8", "replace")
    rows, lines = _tail_rows(text, dialect)
    if not rows or (tail_start > start and header.common_width(rows) != width):
        return size
    count = header.count_footer(rows, width)
    if not count or count == len(rows):
        return size
    ends = [0, *(found.end() for found in _LINE_END.finditer(content)), len(content)]
    first = lines[len(rows) - count]
    before = sum(_ends(piece) for piece in _pieces(path, start, tail_start)) + data_line - 1
    kept = _kept(text, first, len(re.split(r"\r\n|\n|\r", text.rstrip("\r\n"))))
    if kept is None:
        return size
    draft.footer = kept.model_copy(update={"first_line": before + first})
    return tail_start + ends[first - 1]


def _tail_rows(text: str, dialect: Dialect) -> tuple[list[list[str]], list[int]]:
    rows, lines = [], [1]
    reader = dialect.rows(io.StringIO(text, newline=""))
    for row in reader:
        rows.append(row)
        lines.append(reader.line_num + 1)  # type: ignore[attr-defined]
    return rows, lines


def _line_start(path: Path, position: int, earliest: int) -> int:
    """The first start of a line at or after a position."""
    if position <= earliest:
        return earliest
    with path.open("rb") as file:
        file.seek(position)
        found = _LINE_END.search(file.read(TAIL))
    return position + found.end() if found else earliest if position - earliest < HEAD else position


def lines_before(path: Path, start: int, end: int) -> int:
    """How many lines end between two positions, as Polars counts them: with a line feed."""
    return sum(piece.count(b"\n") for piece in _pieces(path, start, end))


def _end_of_line(path: Path, start: int, line: int, last: int) -> int:
    """Where the line `last` ends, when the line `line` starts at `start`."""
    if last < line:
        raise UnfitReadOptions(f"The last row ({last:,}) is before the first row of data (line {line:,}).")
    left = last - line + 1
    for piece in _pieces(path, start, path.stat().st_size):
        ends = _ends(piece)
        if ends >= left:
            return start + next(islice(_LINE_END.finditer(piece), left - 1, None)).end()
        left -= ends
        start += len(piece)
    return start


def _ends(piece: bytes) -> int:
    """How many lines end in a piece, each with one of the three line ends."""
    return piece.count(b"\n") + piece.count(b"\r") - piece.count(b"\r\n")


def _pieces(path: Path, start: int, end: int) -> Iterator[bytes]:
    """What is between two positions, no line end of two bytes divided."""
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (piece := file.read(min(HEAD, end - start))):
            if piece.endswith(b"\r") and start + len(piece) < end:
                piece += file.read(1)
            yield piece
            start += len(piece)
