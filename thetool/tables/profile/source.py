"""The two files of a reading, a few columns and at most a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from thetool.tables.profile.issue_schemas import Example
from thetool.tables.profile.tally import BATCH
from thetool.tables.profile.texts import shown

CELLS = 2_000_000
SMALL = 100_000
ROW = "_row"


class Source:
    """`text.parquet` and `typed.parquet` of a folder; `_row` is no column of theirs.

    A column is taken as it is typed, but as text where not all could be typed: those cells are null in `typed.parquet`.
    Columns are asked for by their place, as Polars takes names such as `*` and `^a$` for patterns.
    """

    def __init__(self, folder: Path, rows: int, untyped: Iterable[str]) -> None:
        self.text = folder / "text.parquet"
        self.typed = folder / "typed.parquet"
        schema = pl.read_parquet_schema(self.typed)
        self.types = {name: kind for name, kind in schema.items() if name != ROW}
        self.places = {name: place for place, name in enumerate(schema)}
        self.rows = rows
        self.untyped = set(untyped)
        self._texts: pl.DataFrame | None = None
        self._typed: pl.DataFrame | None = None

    def groups(self) -> Iterator[list[str]]:
        """The columns in groups that are read together: many of a short table, one or two of a long one."""
        names = list(self.types)
        size = max(1, CELLS // max(1, self.rows))
        for start in range(0, len(names), size):
            yield names[start : start + size]

    def tiles(self, names: list[str]) -> Iterator[tuple[int, pl.DataFrame]]:
        """All rows of these columns as they are typed, at most `BATCH` at a time, and where they start."""
        for start in range(0, max(1, self.rows), BATCH):
            yield start, self._read(self.typed, names, start)

    def as_read(self, names: list[str], start: int, typed: pl.DataFrame) -> pl.DataFrame:
        """A tile in which columns that could not all be typed are text."""
        untyped = [name for name in names if name in self.untyped]
        return typed.with_columns(self._read(self.text, untyped, start)) if untyped else typed

    def _read(self, path: Path, names: list[str], start: int) -> pl.DataFrame:
        places = [self.places[name] for name in names]
        if self.rows <= BATCH:
            frame = pl.read_parquet(path, columns=places)
            if path == self.typed and self.rows * len(self.types) <= SMALL:
                self._typed = frame
            return frame
        return pl.scan_parquet(path).select(pl.nth(places)).slice(start, BATCH).collect()

    def texts(self) -> pl.LazyFrame:
        """All cells as text; those of a small table are read once."""
        if self._texts is None and self.rows * len(self.types) <= SMALL:
            self._texts = pl.read_parquet(self.text)
        return self._texts.lazy() if self._texts is not None else pl.scan_parquet(self.text)

    def repeats(self, rows: list[int]) -> list[int]:
        """Of some rows (from 1) those that are the same as an earlier one of them."""
        some = pl.scan_parquet(self.typed).filter(pl.col(ROW).is_in(rows)).collect().sort(ROW)
        if self.untyped:
            text = self.texts().filter(pl.col(ROW).is_in(rows)).collect().sort(ROW)
            some = some.with_columns(text[name] for name in self.untyped)
        return some.filter(~pl.struct(pl.exclude(ROW)).is_first_distinct())[ROW].to_list()

    def same(self, names: list[str]) -> bool:
        """Whether some columns have the same value in each row, and have any."""
        typed = self._typed
        if typed is None:
            places = [self.places[name] for name in names]
            typed = pl.scan_parquet(self.typed).select(pl.nth(places)).collect(engine="streaming")
        first, *others = [typed[name] for name in names]
        return first.null_count() < self.rows and all(first.equals(other, null_equal=True) for other in others)

    def first_row(self, column: str, values: list[str]) -> Example | None:
        """The first row in which a column has one of these texts."""
        cell = pl.nth(self.places[column])
        found = self.texts().filter(cell.is_in(values)).head(1).select(pl.col(ROW), cell.alias("value")).collect()
        if not found.height:
            return None
        row, value = found.row(0)
        return Example(row=row, column=column, value=shown(value))

    def row(self, number: int) -> Example | None:
        """The first cell of a row (from 1) that has a text."""
        cells = self.texts().slice(number - 1, 1).collect().row(0, named=True)
        for name, value in cells.items():
            if name != ROW and value is not None and value.strip():
                return Example(row=number, column=name, value=shown(value))
        return None
