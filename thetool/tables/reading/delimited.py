"""CSV and its relatives: from bytes in any encoding to `text.parquet`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from thetool.tables.reading import mending
from thetool.tables.reading.dialect import NONE, Dialect, find_delimiter, find_quote
from thetool.tables.reading.draft import Draft
from thetool.tables.reading.encodings import Encoding, find_encoding, to_utf_8
from thetool.tables.reading.limits import LIMITS
from thetool.tables.reading.names import ROW
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.problems import DamagedTable, TableTooLarge, UnfitReadOptions
from thetool.tables.reading.region import Head, Region, find_region, lines_before, read_head
from thetool.tables.reading.report import Choice, ReadingNote
from thetool.tables.reading.sink import Written, engine_for, sink
from thetool.tables.reading.survey import Survey, survey

_OTHERWISE = "Ask for another delimiter when the columns look wrong."
Tell = Callable[[float], None]
UTF_8 = "text.tmp"


@dataclass
class Opened:
    """A delimited text whose table was found: `path` is the file, or a copy of it in UTF-8; the draft has no text."""

    path: Path
    head: Head
    dialect: Dialect
    region: Region
    draft: Draft
    found: Survey


def read(source: Path, folder: Path, target: Path, options: ReadOptions, tell: Tell) -> Draft:
    """Write `target` from a delimited text, and tell how it was read.

    Raises:
        EmptyTable: it holds no row.
        NotATable: it is a web page.
        UnreadableEncoding, UnfitReadOptions: the options do not fit it.
    """
    text = opened(source, folder, options, tell)
    draft = text.draft
    draft.text = _write(
        text.path, folder, target, text.region, text.dialect, text.found, draft, lambda done: tell(0.4 + 0.6 * done)
    )
    (folder / UTF_8).unlink(missing_ok=True)
    return draft


def opened(source: Path, folder: Path, options: ReadOptions, tell: Tell, *, whole: bool = True) -> Opened:
    """Find the table in a delimited text; raises as `read` does.

    Args:
        source: the file.
        folder: where a copy in UTF-8 goes, if one is needed; whoever asks removes it.
        options: what is asked for.
        tell: hears how far it is, up to 0.4.
        whole: survey all of the table, and not only its first lines.
    """
    encoding = find_encoding(source, options.encoding, lambda done: tell(0.1 * done))
    path, notes, start = source, encoding.notes(), encoding.mark
    if not encoding.is_utf_8:
        path, start = folder / UTF_8, 0
        notes += to_utf_8(source, encoding, path, lambda done: tell(0.1 + 0.1 * done))
    head = read_head(path, start)
    dialect, draft = _dialect(head.text, options, encoding)
    region = find_region(path, head, dialect, options, draft)
    end = region.end if whole else max(region.start, min(region.end, head.offsets[-1]))
    told = lambda done: tell(0.2 + 0.2 * done)  # noqa: E731
    found = survey(path, region.start, end, dialect.delimiter, dialect.quote, told)
    if found.blank_lines > LIMITS.blank_lines:
        told_so = f"It has {found.blank_lines:,} blank lines or more; {LIMITS.blank_lines:,} are the most."
        raise TableTooLarge(f"{told_so} Leave them out, and send it again.")
    if found.odd_quotes and f"\\{dialect.quote}" in head.text:
        dialect, draft = replace(dialect, escape="\\"), _dialect(head.text, options, encoding)[1]
        region = find_region(path, head, dialect, options, draft)
    draft.notes = [*notes, *draft.notes]
    return Opened(path, head, dialect, region, draft, found)


def _dialect(text: str, options: ReadOptions, encoding: Encoding) -> tuple[Dialect, Draft]:
    quote, quote_why = find_quote(text) if options.quote is None else (options.quote, "It was asked for.")
    if options.delimiter is None:
        found, why, guessed = find_delimiter(text, quote)
    else:
        found, why, guessed = options.delimiter, "It was asked for.", False
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
        notes=[ReadingNote(code="guessed_delimiter", message=f"{why} {_OTHERWISE}")] if guessed else [],
    )
    return Dialect(delimiter, quote), draft


def _write(
    path: Path, folder: Path, target: Path, region: Region, dialect: Dialect, found: Survey, draft: Draft, tell: Tell
) -> Written:
    """Write `text.parquet`: as it is when it is regular, else mended first."""
    if region.start >= region.end:
        draft.notes.append(ReadingNote(code="no_rows", message="The table has names and no rows."))
        empty = pl.LazyFrame(schema={ROW: pl.Int64, **dict.fromkeys(draft.names, pl.String)})
        return sink(empty, target, 0, "in-memory", tell)
    if dialect.escape is None and found.is_regular(region.width):
        written = _as_it_is(path, target, region, dialect, found, draft, tell)
        if written:
            return written
    return _mended(path, folder, target, region, dialect, draft, tell)


def _as_it_is(
    path: Path, target: Path, region: Region, dialect: Dialect, found: Survey, draft: Draft, tell: Tell
) -> Written | None:
    """Nothing when Polars finds a row with too many fields, or other rows than the survey."""
    frame = _scan(path, lines_before(path, 0, region.start), found.rows, draft.names, dialect)
    if found.empty_quotes:
        frame = frame.with_columns(pl.when(pl.col(draft.names) != "").then(pl.col(draft.names)))
    engine = engine_for(found.rows, region.width, region.end - region.start)
    try:
        written = sink(frame, target, found.rows, engine, tell)
    except pl.exceptions.PolarsError:
        return None
    return written if written.rows == found.rows else None


def _mended(
    path: Path, folder: Path, target: Path, region: Region, dialect: Dialect, draft: Draft, tell: Tell
) -> Written:
    spool = folder / "mended.tmp"
    shape = mending.Shape(region.width, region.names, region.first_line, dialect, region.is_asked)
    mended = mending.mend(path, region.start, region.end, shape, spool, lambda done: tell(0.5 * done))
    _take(mended, region, draft)
    columns = draft.names if mended.has_extra else [*draft.names, _free(draft.names)]
    frame = _scan(spool, 0, mended.rows, columns, Dialect(",", '"')).select(ROW, *draft.names)
    engine = engine_for(mended.rows, len(columns), spool.stat().st_size)
    try:
        written = sink(frame, target, mended.rows, engine, lambda done: tell(0.5 + 0.5 * done))
    except pl.exceptions.PolarsError as error:
        raise DamagedTable(f"It cannot be read to the end: {str(error).splitlines()[0]}") from error
    if written.rows != mended.rows:
        raise DamagedTable(f"Of its {mended.rows:,} rows only {written.rows:,} could be read.")
    spool.unlink()
    return written


def _take(mended: mending.Mended, region: Region, draft: Draft) -> None:
    draft.notes += mended.notes(region.width)
    draft.other_tables = mended.others
    if mended.has_extra:
        name = _free(draft.names)
        draft.originals = [*draft.originals, None]
        draft.names = [*draft.names, name]
        draft.kept[name] = "It holds what rows have too much, several fields in one: never a number or a date."


def _free(names: list[str]) -> str:
    """A name for the fields that rows have too much."""
    free = mending.EXTRA
    while free in names:
        free += "_"
    return free


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
