"""CSV and its relatives: from bytes in any encoding to `text.parquet`."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from thetool.tables.reading import header, mending
from thetool.tables.reading.dialect import NONE, Dialect, find_delimiter, find_quote
from thetool.tables.reading.draft import Draft
from thetool.tables.reading.encodings import Encoding, find_encoding, to_utf_8
from thetool.tables.reading.names import ROW, named
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.problems import DamagedTable, EmptyTable, NotATable, TableTooLarge, UnfitReadOptions
from thetool.tables.reading.report import Choice, Lines, Note
from thetool.tables.reading.sink import sink
from thetool.tables.reading.survey import Survey, survey

HEAD = 1 << 20
LONGEST_LINE = 16 << 20
TAIL = 1 << 16
MOST_COLUMNS = 50_000
_KEPT_LINES, _KEPT_CHARACTERS = 100, 1_000
_FIRST_ROWS = 1_000

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1b]")
Tell = Callable[[float], None]


@dataclass(frozen=True)
class _Region:
    """The table in a file of UTF-8: where its data are, in bytes and in lines."""

    start: int
    end: int
    first_line: int
    width: int
    names: list[str] | None


def read(source: Path, folder: Path, target: Path, options: ReadOptions, tell: Tell) -> Draft:
    """Write `target` from a delimited text, and tell how it was read.

    Raises:
        EmptyTable: it holds no row.
        NotATable: it is a web page.
        UnreadableEncoding, UnfitReadOptions: the options do not fit it.
    """
    encoding = find_encoding(source, options.encoding, lambda done: tell(0.1 * done))
    path, notes, start = source, [], encoding.mark
    if not encoding.is_utf_8:
        path, start = folder / "text.tmp", 0
        notes += to_utf_8(source, encoding, path, lambda done: tell(0.1 + 0.1 * done))
    head = _head(path, start)
    dialect, draft = _dialect(head.text, options, encoding)
    region, found = _surveyed(path, head, dialect, options, draft, lambda done: tell(0.2 + 0.2 * done))
    if found.odd_quotes and f"\\{dialect.quote}" in head.text:
        dialect, draft = replace(dialect, escape="\\"), _dialect(head.text, options, encoding)[1]
        region = _region(path, head, dialect, options, draft)
    draft.notes = [*notes, *draft.notes]
    _write(path, folder, target, region, dialect, found, draft, lambda done: tell(0.4 + 0.6 * done))
    (folder / "text.tmp").unlink(missing_ok=True)
    return draft


def _surveyed(
    path: Path, head: _Head, dialect: Dialect, options: ReadOptions, draft: Draft, tell: Tell
) -> tuple[_Region, Survey]:
    region = _region(path, head, dialect, options, draft)
    return region, survey(path, region.start, region.end, dialect.delimiter, dialect.quote, tell)


@dataclass(frozen=True)
class _Head:
    """The first lines of a file: their text, and where each begins."""

    text: str
    offsets: list[int]
    whole: bool
    size: int


def _head(path: Path, start: int) -> _Head:
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
        raise EmptyTable("The file is empty, or has only blanks. Send one with a row at least.")
    text = content.decode("utf-8", "replace")
    if len(_CONTROL.findall(content)) > 8 + len(content) / 20:
        raise NotATable("It is no text: too many of its bytes are control characters. Which program wrote it?")
    ends = [found.end() for found in re.finditer(rb"\r\n|\n|\r", content)]
    return _Head(text, [start, *(start + end for end in ends)], whole, size)


def _dialect(text: str, options: ReadOptions, encoding: Encoding) -> tuple[Dialect, Draft]:
    quote, quote_why = find_quote(text) if options.quote is None else (options.quote, "It was asked for.")
    if options.delimiter is None:
        found, why = find_delimiter(text, quote)
    else:
        found, why = options.delimiter, "It was asked for."
    delimiter = found or NONE
    if not delimiter.isascii() or delimiter in "\r\n" or (quote and not quote.isascii()) or delimiter == quote:
        raise UnfitReadOptions("Delimiter and quote are single ASCII characters, not the same, and no line ends.")
    draft = Draft(
        header=Choice(value=0, reason=""),
        names=[],
        originals=[],
        encoding=encoding.choice(),
        delimiter=Choice(value=found, reason=why, asked=options.delimiter is not None),
        quote=Choice(value=quote or None, reason=quote_why, asked=options.quote is not None),
    )
    return Dialect(delimiter, quote), draft


def _region(path: Path, head: _Head, dialect: Dialect, options: ReadOptions, draft: Draft) -> _Region:
    """Where the table is; header, names, preamble and footer go into the draft."""
    rows, lines = _rows_with_lines(head.text, dialect, whole=head.whole)
    if not any(field.strip(" \t,;|") for row in rows for field in row):
        raise EmptyTable("The file has no row. Send one with a row at least.")
    place = _place(rows, lines, options)
    first = rows[place.start]
    width = max(place.width, len(first)) if place.has_names else place.width
    if width > MOST_COLUMNS:
        raise TableTooLarge(f"It has {width:,} columns; {MOST_COLUMNS:,} are the most.")
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
    return _Region(start, end, data_line, width, list(first) if place.has_names else None)


def _no_names(width: int) -> Note:
    told = f"The columns have no names in the file; they are called column_1 to column_{width}."
    return Note(code="no_header", message=told, count=width)


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
    ends = [0, *(found.end() for found in re.finditer(rb"\r\n|\n|\r", content)), len(content)]
    first = lines[len(rows) - count]
    before = _lines_before(path, start, tail_start) + data_line - 1
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
        found = file.read(TAIL).find(b"\n")
    return position + found + 1 if found >= 0 else earliest if position - earliest < HEAD else position


def _lines_before(path: Path, start: int, end: int) -> int:
    """How many lines end between two positions."""
    count = 0
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(HEAD, end - start))):
            count += chunk.count(b"\n")
            start += len(chunk)
    return count


def _end_of_line(path: Path, start: int, line: int, last: int) -> int:
    """Where the line `last` ends, when the line `line` starts at `start`."""
    if last < line:
        raise UnfitReadOptions(f"The last row ({last:,}) is before the first row of data (line {line:,}).")
    with path.open("rb") as file:
        file.seek(start)
        for _ in range(last - line + 1):
            if not file.readline():
                break
        return file.tell()


def _write(
    path: Path, folder: Path, target: Path, region: _Region, dialect: Dialect, found: Survey, draft: Draft, tell: Tell
) -> None:
    """Write `text.parquet`: as it is when it is regular, else mended first."""
    if region.start >= region.end:
        _sink_empty(target, draft.names)
        draft.notes.append(Note(code="no_rows", message="The table has names and no rows."))
        return
    if dialect.escape is None and found.is_regular(region.width):
        try:
            frame = _scan(path, _lines_before(path, 0, region.start), found.rows, draft.names, dialect)
            if found.quoted:
                frame = frame.with_columns(pl.when(pl.col(draft.names) != "").then(pl.col(draft.names)))
            sink(frame, target, found.rows, region.width, tell)
            return
        except pl.exceptions.PolarsError:
            target.unlink(missing_ok=True)  # a row with too many fields: mended below
    mended_path = folder / "mended.tmp"
    shape = mending.Shape(region.width, region.names, region.first_line, dialect)
    mended = mending.mend(path, region.start, region.end, shape, mended_path, lambda done: tell(0.5 * done))
    _take(mended, region, draft)
    try:
        columns = draft.names if mended.has_extra else [*draft.names, _free(draft.names)]
        frame = _scan(mended_path, 0, mended.rows, columns, Dialect(",", '"'))
        sink(frame.select(ROW, *draft.names), target, mended.rows, len(columns), lambda done: tell(0.5 + 0.5 * done))
    except pl.exceptions.PolarsError as error:
        raise DamagedTable(f"It cannot be read to the end: {str(error).splitlines()[0]}") from error
    finally:
        mended_path.unlink(missing_ok=True)


def _take(mended: mending.Mended, region: _Region, draft: Draft) -> None:
    draft.notes += mended.notes(region.width)
    draft.other_tables = mended.others
    if mended.has_extra:
        draft.originals = [*draft.originals, None]
        draft.names = [*draft.names, _free(draft.names)]


def _free(names: list[str]) -> str:
    """A name for the fields that rows have too much."""
    free = mending.EXTRA
    while free in names:
        free += "_"
    return free


def _sink_empty(target: Path, names: list[str]) -> None:
    pl.DataFrame(schema={ROW: pl.Int64, **dict.fromkeys(names, pl.String)}).write_parquet(target)


def _scan(path: Path, skip: int, rows: int, names: list[str], dialect: Dialect) -> pl.LazyFrame:
    """A regular file as texts and `_row`; an empty field is null, quoted or not."""
    frame = pl.scan_csv(
        path,
        has_header=False,
        separator=dialect.delimiter,
        quote_char=dialect.quote or None,
        skip_lines=skip,
        n_rows=rows,
        schema=dict.fromkeys(names, pl.String),
        infer_schema=False,
        row_index_name=ROW,
        row_index_offset=1,
        extra_columns="raise",
        glob=False,
    )
    return frame.with_columns(pl.col(ROW).cast(pl.Int64))
