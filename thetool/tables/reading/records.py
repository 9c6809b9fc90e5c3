"""JSON: a list of records, one record on each line, or a document that holds such a list. Read bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from thetool.tables.reading.draft import Draft
from thetool.tables.reading.encodings import find_encoding, to_utf_8
from thetool.tables.reading.json_stream import JsonStream, text_of
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.mending import Stretch
from thetool.tables.reading.mending import text_of as lines_of
from thetool.tables.reading.names import ROW, named
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.problems import EmptyTable, TableTooLarge
from thetool.tables.reading.report import Choice, Format, ReadingNote
from thetool.tables.reading.sink import ROW_GROUP, engine_for, sink

_BATCH_CHARACTERS = 64 << 20
_BATCH_CELLS = 5_000_000  # of records with few of many keys most are empty


def read(
    source: Path,
    folder: Path,
    target: Path,
    kind: Format,
    options: ReadOptions,
    limits: Limits,
    tell: Callable[[float], None],
) -> Draft:
    """Write `target` with all values as text, each key a column.

    Raises:
        DamagedTable: it is not JSON.
        EmptyTable: it holds no record.
        TableTooLarge: one record, or the number of keys, is larger than allowed.
    """
    encoding = find_encoding(source, options.encoding, lambda done: tell(0.1 * done))
    path, start, notes = source, encoding.mark, []
    if not encoding.is_utf_8:
        path, start = folder / "text.tmp", 0
        notes = [*encoding.notes(), *to_utf_8(source, encoding, path, lambda done: tell(0.1 + 0.1 * done))]
    size = path.stat().st_size
    with Stretch(path, start, size) as stretch:
        stream = JsonStream(lines_of(stretch), limits.record_characters)
        batches = _Batches(folder, limits, lambda: tell(0.2 + 0.5 * stretch.position() / max(1, size)))
        values = stream.lines() if kind is Format.JSONL else stream.elements()
        for value in values:
            batches.add(value)
        batches.finish()
    if not batches.rows:
        raise EmptyTable("There is no record in it.")
    names, renamed = named(list(batches.keys))
    written = sink(
        batches.frame(names),
        target,
        batches.rows,
        engine_for(batches.rows, len(names), size),
        lambda done: tell(0.7 + 0.3 * done),
    )
    batches.remove()
    (folder / "text.tmp").unlink(missing_ok=True)
    header = Choice(value=0, reason="The keys of the records are the names.")
    notes += [*renamed, *batches.notes(), *stream.notes, *stream.repeated_note()]
    return Draft(
        text=written, header=header, names=names, originals=list(batches.keys), encoding=encoding.choice(), notes=notes
    )


def _frame(columns: Iterable[list[str | None]]) -> pl.DataFrame:
    return pl.DataFrame([pl.Series(str(at), column, dtype=pl.String) for at, column in enumerate(columns)])


def _whole(text: str | None) -> str | None:
    """The text with a replacement for each half of a character."""
    return None if text is None else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _Batches:
    """Records, gathered into Parquet files of some ten thousand; keys may come later than the first record."""

    def __init__(self, folder: Path, limits: Limits, tell: Callable[[], None]) -> None:
        self.keys: dict[str, None] = {}
        self.rows = 0
        self.nested: set[str] = set()
        self._folder, self._limits, self._tell = folder, limits, tell
        self._parts: list[tuple[Path, list[str]]] = []
        self._columns: dict[str, list[str | None]] = {}
        self._height = self._characters = 0

    def add(self, record: Any) -> None:
        """Take one record: an object, a list of cells, or one value."""
        for key, value in self._cells(record):
            column = self._columns.get(key)
            if column is None:
                column = self._new(key)
            column += [None] * (self._height - len(column))
            text = value if type(value) is str else text_of(value)
            if type(value) in (dict, list):
                self.nested.add(key)
            column.append(text)
            self._characters += len(text) if text else 0
        self._height += 1
        cells = self._height * len(self._columns)
        if self._height >= ROW_GROUP or cells > _BATCH_CELLS or self._characters > _BATCH_CHARACTERS:
            self.finish()

    @staticmethod
    def _cells(record: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(record, dict):
            return iter(record.items())
        if isinstance(record, list):
            return ((f"column_{number}", value) for number, value in enumerate(record, 1))
        return iter([("value", record)])

    def _new(self, key: str) -> list[str | None]:
        if key not in self.keys and len(self.keys) >= self._limits.columns:
            raise TableTooLarge(f"Its records have more than {self._limits.columns:,} different keys.")
        self.keys[key] = None
        return self._columns.setdefault(key, [])

    def finish(self) -> None:
        """Write what was gathered."""
        if not self._height:
            return
        for column in self._columns.values():
            column += [None] * (self._height - len(column))
        path = self._folder / f"records-{len(self._parts)}.tmp"
        try:
            frame = _frame(self._columns.values())
        except UnicodeEncodeError:  # half a character: "\ud800"
            frame = _frame([[_whole(text) for text in column] for column in self._columns.values()])
        numbers = pl.int_range(self.rows + 1, self.rows + 1 + self._height, dtype=pl.Int64, eager=True).alias(ROW)
        frame = frame.insert_column(0, numbers) if frame.width else pl.DataFrame([numbers])
        frame.write_parquet(path, compression="lz4")
        self._parts.append((path, list(self._columns)))
        self.rows += self._height
        self._columns, self._height, self._characters = {}, 0, 0
        self._tell()

    def frame(self, names: list[str]) -> pl.LazyFrame:
        """All records, each with all columns."""
        called = dict(zip(self.keys, names, strict=True))
        parts = []
        for path, keys in self._parts:
            places = {key: str(at) for at, key in enumerate(keys)}
            texts = [
                (pl.col(places[key]) if key in places else pl.lit(None, pl.String)).alias(name)
                for key, name in called.items()
            ]
            parts.append(pl.scan_parquet(path).select(ROW, *texts))
        return pl.concat(parts)

    def remove(self) -> None:
        """Remove the files."""
        for path, _ in self._parts:
            path.unlink(missing_ok=True)

    def notes(self) -> list[ReadingNote]:
        """What people should know."""
        if not self.nested:
            return []
        told = f"{', '.join(sorted(self.nested)[:10])}: nested values are kept as JSON text."
        return [ReadingNote(code="nested_values", message=told, count=len(self.nested))]
