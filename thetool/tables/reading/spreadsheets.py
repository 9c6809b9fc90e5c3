"""XLSX and ODS: the values of one sheet, with calamine (fastexcel)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fastexcel
import polars as pl

from thetool.tables.reading import header, mending, opendocument, workbook
from thetool.tables.reading.damage import damage_told
from thetool.tables.reading.draft import Draft
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.names import ROW, named
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.problems import EmptyTable, UnfitReadOptions
from thetool.tables.reading.report import Choice, Format, Lines, OtherTable, ReadingNote, Sheet
from thetool.tables.reading.sink import engine_for, sink

_FIRST_ROWS = 500
_MOST_SHEETS = 100  # that are looked at for one that is not empty
_AHEAD = 20
_KEPT_LINES, _KEPT_CHARACTERS = 100, 1_000
_NO_DAY = "1899-12-31 "  # before a time of the day


def read(
    source: Path, target: Path, kind: Format, options: ReadOptions, limits: Limits, tell: Callable[[float], None]
) -> Draft:
    """Write `target` from a sheet, and tell how it was read.

    Raises:
        DamagedTable, TableTooLarge: it cannot be read, or not safely.
        EmptyTable: the sheet, or every sheet, is empty.
        UnfitReadOptions: there is no such sheet or row.
    """
    look = _looking(source, kind, options, limits, lambda done: tell(0.3 * done))
    book = _opened(source)
    wanted = [options.sheet] if options.sheet is not None else book.sheet_names
    if options.sheet is not None and options.sheet not in book.sheet_names:
        names = ", ".join(map(repr, book.sheet_names[:20]))
        raise UnfitReadOptions(f"There is no sheet {options.sheet!r:.100}. The sheets are: {names:.1000}.")
    frame, chosen = pl.DataFrame(), ""
    for chosen in wanted[:_MOST_SHEETS]:
        inside = look(chosen)
        frame = _loaded(book, chosen)
        if frame.height:
            break
    else:
        raise EmptyTable(_all_empty(len(wanted), options))
    tell(0.7)
    reason = "It was asked for." if options.sheet is not None else _why(book.sheet_names, chosen)
    draft, table = _table(frame, inside.first_row, options)
    draft.sheet = Choice(value=chosen, reason=reason, asked=options.sheet is not None)
    draft.sheets = [Sheet(name=name) for name in book.sheet_names]
    draft.notes += _notes(inside, len(book.sheet_names))
    engine = engine_for(table.height, table.width, source.stat().st_size)
    draft.text = sink(table.lazy(), target, table.height, engine, lambda done: tell(0.7 + 0.3 * done))
    return draft


def _looking(
    source: Path, kind: Format, options: ReadOptions, limits: Limits, tell: Callable[[float], None]
) -> Callable[[str], workbook.Inside]:
    """Check the whole file, before calamine sees anything of it; gives what looks at one of its sheets.

    Raises:
        DamagedTable, TableTooLarge: it is not safe to read.
    """
    if kind is Format.ODS:
        first_rows = opendocument.look_inside(source, limits, tell)
        return lambda sheet: workbook.Inside(sheet, first_rows.get(sheet, 1))
    looked = workbook.look_inside(source, options.sheet, limits, tell)

    def look(sheet: str) -> workbook.Inside:
        return looked if looked.sheet == sheet else workbook.look_inside(source, sheet, limits, tell, whole=False)

    return look


def _all_empty(sheets: int, options: ReadOptions) -> str:
    if options.sheet is not None:
        return "The sheet is empty."
    if sheets > _MOST_SHEETS:
        return f"Its first {_MOST_SHEETS} sheets are empty. Name the one with the table."
    return "Its sheets are empty."


def _why(names: list[str], chosen: str) -> str:
    if len(names) == 1:
        return "It is the only sheet."
    return "It is the first sheet." if names[0] == chosen else "It is the first sheet that is not empty."


def _opened(source: Path) -> fastexcel.ExcelReader:
    with damage_told("The workbook", fastexcel.FastExcelError):
        return fastexcel.read_excel(source)


def _loaded(book: fastexcel.ExcelReader, sheet: str) -> pl.DataFrame:
    with damage_told(f"The sheet {sheet!r:.100}", fastexcel.FastExcelError):
        frame: pl.DataFrame = book.load_sheet(sheet, header_row=None, dtypes="string").to_polars()
        return frame.select(pl.col(name).replace("", None).alias(str(at)) for at, name in enumerate(frame.columns))


def _table(frame: pl.DataFrame, first_row: int, options: ReadOptions) -> tuple[Draft, pl.DataFrame]:
    """The rows of the table in a sheet, numbered; rows without anything are left out."""
    last = min(frame.height, (options.last_row or frame.height + first_row) - first_row + 1)
    rows = _rows(frame.head(min(last, _FIRST_ROWS)))
    place = _place(rows, first_row, options)
    start = place.start + place.has_names
    footer = header.count_footer(_rows(frame.slice(max(start, last - 50), last - max(start, last - 50))), place.width)
    footer = 0 if options.last_row is not None or footer >= last - start else footer
    names = rows[place.start] if place.has_names else [""] * frame.width
    body = frame.slice(start, last - footer - start)
    others: list[OtherTable] = []
    if options.last_row is None:
        body, others = _first_of(body, place, names, first_row + start)
    blank = (
        body.select(pl.all_horizontal(pl.all().is_null())).to_series()
        if body.height
        else pl.Series([], dtype=pl.Boolean)
    )
    used = [at for at in range(frame.width) if names[at].strip() or body[:, at].null_count() < body.height]
    body = body.filter(~blank)[:, used]
    originals: list[str | None] = [names[at] or None for at in used]
    fitting, notes = named(originals)
    body.columns = fitting
    row = first_row + place.start
    draft = Draft(
        header=Choice(value=row if place.has_names else 0, reason=place.reason, asked=options.header_row is not None),
        names=fitting,
        originals=originals,
        notes=[*notes, *_blank_note(int(blank.sum() or 0), body.height), *mending.others_note(others, "rows")],
        preamble=_kept(rows[: place.start], first_row),
        other_tables=others,
        footer=_kept(_rows(frame.slice(last - footer, footer)), first_row + last - footer) if footer else None,
    )
    numbers = pl.int_range(1, body.height + 1, dtype=pl.Int64, eager=True).alias(ROW)
    times = pl.col(pl.String)
    body = body.with_columns(
        pl.when(times.str.starts_with(_NO_DAY)).then(times.str.slice(len(_NO_DAY))).otherwise(times)
    )
    return draft, body.insert_column(0, numbers)


def _first_of(
    body: pl.DataFrame, place: header.Place, names: list[str], first_row: int
) -> tuple[pl.DataFrame, list[OtherTable]]:
    """The rows of the first table, where another follows after a blank row; and that one."""
    blank = body.select(pl.all_horizontal(pl.all().is_null()).arg_true()).to_series() if body.width else pl.Series()
    width = len(_trimmed(names)) or place.width
    for at in blank.to_list()[:_FIRST_ROWS]:
        ahead = [_trimmed(row) for row in _rows(body.slice(at + 1, _AHEAD))]
        if ahead and ahead[0] and header.is_other_table(ahead, width, _trimmed(names) or None):
            found = header.find_start([row for row in ahead if row])
            first, last = first_row + at + 1, first_row + body.height - 1
            other = OtherTable(first_line=first, last_line=last, columns=found.width, names=ahead[0][:100])
            return body.head(at), [other]
    return body, []


def _trimmed(row: list[str]) -> list[str]:
    """Without the empty cells at the end."""
    filled = [at for at, cell in enumerate(row, 1) if cell]
    return row[: filled[-1]] if filled else []


def _rows(frame: pl.DataFrame) -> list[list[str]]:
    return [[cell or "" for cell in row] for row in frame.rows()]


def _place(rows: list[list[str]], first_row: int, options: ReadOptions) -> header.Place:
    if options.header_row is None:
        return header.find_start(rows)
    if options.header_row == 0:
        found = header.find_start(rows)
        return header.Place(found.start, False, found.width, "It was asked for: no row has names.")
    start = options.header_row - first_row
    if not 0 <= start < len(rows):
        told = (
            f"Row {options.header_row:,} is not among the first rows of the sheet, which begin with row {first_row:,}."
        )
        raise UnfitReadOptions(told)
    return header.Place(start, True, len(rows[start]), "It was asked for.")


def _kept(rows: list[list[str]], first: int) -> Lines | None:
    if not any(any(row) for row in rows):
        return None
    text = ["\t".join(row).rstrip("\t")[:_KEPT_CHARACTERS] for row in rows]
    return Lines(first_line=first, count=len(rows), text=text[:_KEPT_LINES])


def _blank_note(blank: int, rows: int) -> list[ReadingNote]:
    notes = []
    if blank:
        told = f"Rows without any value were left out: {blank:,}."
        notes.append(ReadingNote(code="blank_rows", message=told, count=blank))
    if not rows:
        notes.append(ReadingNote(code="no_rows", message="The table has names and no rows."))
    return notes


def _notes(inside: workbook.Inside, sheets: int) -> list[ReadingNote]:
    notes = []
    if inside.without_value:
        told = f"Formulas without a stored value are empty here: {inside.without_value:,}."
        told += " Open the file in a spreadsheet program and save it again."
        notes.append(ReadingNote(code="formulas_without_value", message=told, count=inside.without_value))
    elif inside.formulas:
        told = f"Of {inside.formulas:,} formulas the stored values were read."
        notes.append(ReadingNote(code="formulas", message=told, count=inside.formulas))
    if inside.errors:
        told = f"Cells that hold errors (such as #N/A) are empty here: {inside.errors:,}."
        notes.append(ReadingNote(code="error_cells", message=told, count=inside.errors))
    if inside.merged:
        told = (
            f"Of merged cells the first has the value, the others are empty. There are {inside.merged:,} such places."
        )
        notes.append(ReadingNote(code="merged_cells", message=told, count=inside.merged))
    if sheets > 1:
        notes.append(
            ReadingNote(
                code="other_sheets",
                message=f"Other sheets in the workbook, which were not read: {sheets - 1}.",
                count=sheets - 1,
            )
        )
    return notes
