"""Reading a table: from a file in any format to text and types, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from thetool.tables.reading import containers, formats
from thetool.tables.reading.columns import typed
from thetool.tables.reading.columns.deciding import Deciding
from thetool.tables.reading.columns.settling import guesses
from thetool.tables.reading.draft import Draft
from thetool.tables.reading.limits import LIMITS, Limits
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.problems import EmptyTable, UnfitReadOptions
from thetool.tables.reading.report import Choice, Format, Reading

TEXT, TYPED = "text.parquet", "typed.parquet"
SPOOLED = ".tmp"


def read_table(
    source: Path,
    folder: Path,
    options: ReadOptions | None = None,
    *,
    filename: str | None = None,
    progress: Callable[[float, str], None] = lambda _fraction, _stage: None,
    limits: Limits = LIMITS,
) -> Reading:
    """Read a file, and leave `text.parquet` and `typed.parquet` in `folder` (see the package).

    Args:
        source: the file; it is not changed.
        folder: where to write; what is spooled meanwhile is removed, and after a problem all.
        options: what is asked for; all else is found.
        filename: how the file was called, which may say its format.
        limits: how large it may be.
        progress: hears how far it is (0 to 1) and with what: `unpacking`, `reading`, `typing`, `writing`.

    Raises:
        Problem: one of `problems`: the file cannot be read as a table, or the options do not fit it.
    """
    try:
        return _read_table(source, folder, options or ReadOptions(), filename, progress, limits)
    except BaseException:
        for left in (folder / TEXT, folder / TYPED, *folder.glob(f"*{SPOOLED}")):
            left.unlink(missing_ok=True)
        raise


def _read_table(
    source: Path,
    folder: Path,
    options: ReadOptions,
    filename: str | None,
    progress: Callable[[float, str], None],
    limits: Limits,
) -> Reading:
    path, inner, unpacked = containers.unpacked(
        source, folder, filename, limits, lambda done: progress(0.1 * done, "unpacking")
    )
    format_ = formats.find_format(path, inner, options.format)
    draft = _read(path, folder, format_, options, limits, lambda done: progress(0.1 + 0.4 * done, "reading"))
    (folder / containers.UNPACKED).unlink(missing_ok=True)
    if not draft.names or draft.text is None:
        raise EmptyTable("It has no column.")
    _check_columns(options, draft)
    delimiter = str(draft.delimiter.value) if draft.delimiter else None
    progress(0.5, "typing")
    decided = Deciding(
        draft.text,
        draft.names,
        draft.declared,
        draft.kept,
        options,
        delimiter,
        lambda done: progress(0.5 + 0.2 * done, "typing"),
    ).decide()
    typed.write(draft.text, folder / TYPED, decided, lambda done: progress(0.7 + 0.3 * done, "writing"))
    columns = typed.told(draft.text, decided, draft.originals)
    progress(1.0, "writing")
    return Reading(
        filename=filename,
        bytes=source.stat().st_size,
        unpacked=unpacked,
        format=format_,
        sheet=draft.sheet,
        sheets=draft.sheets,
        encoding=draft.encoding,
        delimiter=draft.delimiter,
        quote=draft.quote,
        header=draft.header,
        preamble=draft.preamble,
        footer=draft.footer,
        other_tables=draft.other_tables,
        rows=draft.text.rows,
        columns=columns,
        notes=[*draft.notes, *guesses(decided)],
    )


def _read(
    path: Path, folder: Path, chosen: Choice, options: ReadOptions, limits: Limits, tell: Callable[[float], None]
) -> Draft:
    """Write `text.parquet` with the reader of the format; each loads what it needs, and no more."""
    kind, target = Format(str(chosen.value)), folder / TEXT
    if kind is Format.PARQUET:
        from thetool.tables.reading import columnar

        return columnar.read(path, target, limits, tell)
    if kind in (Format.JSON, Format.JSONL):
        from thetool.tables.reading import records

        return records.read(path, folder, target, kind, options, limits, tell)
    if kind in (Format.XLSX, Format.ODS):
        from thetool.tables.reading import spreadsheets

        return spreadsheets.read(path, target, kind, options, limits, tell)
    from thetool.tables.reading import delimited

    draft = delimited.read(path, folder, target, options, tell)
    if draft.delimiter and draft.delimiter.value == "\t" and not chosen.asked:
        chosen.value = Format.TSV
    return draft


def _check_columns(options: ReadOptions, draft: Draft) -> None:
    unknown = [name for name in options.columns if name not in draft.names]
    if unknown:
        names = ", ".join(draft.names[:20])
        raise UnfitReadOptions(f"There is no column {unknown[0]!r:.100}. The columns are: {names:.1000}.")
