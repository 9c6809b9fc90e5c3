"""Reading a table: from a file in any format to text and types, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from thetool.tables.reading import delimited
from thetool.tables.reading.columns import typed
from thetool.tables.reading.columns.deciding import Deciding
from thetool.tables.reading.draft import Draft
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.problems import UnfitReadOptions
from thetool.tables.reading.report import Choice, Format, Reading
from thetool.tables.reading.sink import rows_in

TEXT, TYPED = "text.parquet", "typed.parquet"


def read_table(
    source: Path,
    folder: Path,
    options: ReadOptions | None = None,
    *,
    filename: str | None = None,
    progress: Callable[[float, str], None] = lambda _fraction, _stage: None,
) -> Reading:
    """Read a file, and leave `text.parquet` and `typed.parquet` in `folder` (see the package).

    Args:
        source: the file; it is not changed.
        folder: where to write; what is spooled meanwhile is removed again, unless a problem is raised.
        options: what is asked for; all else is found.
        filename: how the file was called, which may say its format.
        progress: hears how far it is (0 to 1) and with what: `unpacking`, `reading`, `typing`, `writing`.

    Raises:
        Problem: one of `problems`: the file cannot be read as a table, or the options do not fit it.
    """
    options = options or ReadOptions()
    text = folder / TEXT
    draft = delimited.read(source, folder, text, options, lambda done: progress(0.5 * done, "reading"))
    rows = rows_in(text)
    _check_columns(options, draft)
    delimiter = str(draft.delimiter.value) if draft.delimiter else None
    decided = Deciding(
        text, draft.names, rows, options, delimiter, lambda done: progress(0.5 + 0.2 * done, "typing")
    ).decide()
    typed.write(text, folder / TYPED, decided, rows, lambda done: progress(0.7 + 0.3 * done, "writing"))
    columns = typed.told(text, decided, draft.originals, rows)
    progress(1.0, "writing")
    return Reading(
        filename=filename,
        bytes=source.stat().st_size,
        format=Choice(value=Format.CSV, reason="It is text."),
        sheet=draft.sheet,
        sheets=draft.sheets,
        encoding=draft.encoding,
        delimiter=draft.delimiter,
        quote=draft.quote,
        header=draft.header,
        preamble=draft.preamble,
        footer=draft.footer,
        other_tables=draft.other_tables,
        rows=rows,
        columns=columns,
        notes=draft.notes,
    )


def _check_columns(options: ReadOptions, draft: Draft) -> None:
    unknown = [name for name in options.columns if name not in draft.names]
    if unknown:
        names = ", ".join(draft.names[:20])
        raise UnfitReadOptions(f"There is no column {unknown[0]!r:.100}. The columns are: {names:.1000}.")
