"""Writing Parquet from a lazy frame in bounded memory, with progress by rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from thetool.tables.reading.names import ROW

ROW_GROUP = 50_000
_SMALL_CELLS, _SMALL_BYTES = 4_000_000, 64 << 20
_WIDE = 1_000  # columns, whose statistics would take as long as they themselves
_SAMPLE_ROWS, _LEAST_SAMPLE_ROWS = 400, 24
_SAMPLE_CELLS = 100_000


# Else Polars reads 400 MB of Parquet ahead, which makes nothing quicker here.
os.environ.setdefault("POLARS_ROW_GROUP_PREFETCH_SIZE", "1")

Engine = Literal["streaming", "in-memory"]


def engine_for(rows: int, columns: int, size: int) -> Engine:
    """How Polars is to run on so many rows, columns and bytes: what is small is done before streaming has started."""
    return "in-memory" if rows * columns <= _SMALL_CELLS and size <= _SMALL_BYTES else "streaming"


@dataclass(frozen=True)
class Written:
    """A table that was written: in memory when it is small, else read anew each time it is looked at."""

    frame: pl.DataFrame | pl.LazyFrame
    rows: int
    engine: Engine
    values: dict[str, int]
    """Of each column, how many are not null."""
    sample: dict[str, Sequence[str | None]]
    """Of each column the values in some rows, which are spread over the table."""


def sink(frame: pl.LazyFrame, path: Path, rows: int, engine: Engine, tell: Callable[[float], None]) -> Written:
    """Write texts, of which the first column is `_row`; `tell` hears the share of `rows` that is written.

    What types are decided by is taken along, so that a long table is not read for it again.
    """
    drawn = _Drawn(frame.collect_schema().names(), rows, tell)
    if engine == "in-memory":
        table = frame.collect(engine="in-memory")
        _write(table, path)
        drawn.take(table)
        return drawn.written(table, engine)
    _sink(frame.with_columns(drawn.passing()), path)
    return drawn.written(pl.scan_parquet(path, glob=False), engine)


class _Drawn:
    """What is taken along of the parts of a table that go by, in any order."""

    def __init__(self, names: list[str], rows: int, tell: Callable[[float], None]) -> None:
        self._names = names
        self._heights: list[int] = []
        self._nulls: list[tuple[int, ...]] = []
        self._sample: list[tuple[Any, ...]] = []
        most = max(_LEAST_SAMPLE_ROWS, min(_SAMPLE_ROWS, _SAMPLE_CELLS // len(names)))
        self._step = max(1, rows // most)
        self._rows, self._tell = rows, tell

    def passing(self) -> pl.Expr:
        """The column `_row` as it is; each part of the table is looked at as it goes by."""
        return pl.struct(pl.all()).map_batches(self._look, return_dtype=pl.Int64, is_elementwise=True).alias(ROW)

    def _look(self, part: pl.Series) -> pl.Series:
        table = part.struct.unnest()
        self.take(table)
        return table[ROW]

    def take(self, part: pl.DataFrame) -> None:
        """Count, and draw rows, by chance but always the same: every second has only "no" of yes, no, yes, no."""
        self._heights.append(part.height)
        self._nulls.append(part.null_count().row(0))
        self._sample += part.filter(pl.col(ROW).hash(1) % self._step == 0).rows()
        if part.height:
            self._tell(min(1.0, part[-1, ROW] / max(1, self._rows)))

    def written(self, frame: pl.DataFrame | pl.LazyFrame, engine: Engine) -> Written:
        """The table, and what was found in it."""
        height = sum(self._heights)
        nulls = zip(*self._nulls, strict=True) if height else [()] * len(self._names)
        sample = zip(*sorted(self._sample), strict=True) if self._sample else [()] * len(self._names)
        values = {name: height - sum(counts) for name, counts in zip(self._names, nulls, strict=True)}
        return Written(frame, height, engine, values, dict(zip(self._names, sample, strict=True)))


def write(frame: pl.LazyFrame, path: Path, rows: int, engine: Engine, tell: Callable[[float], None]) -> None:
    """Write a frame whose first column is `_row`; `tell` hears the share of `rows` that is written."""
    if engine == "in-memory":
        _write(frame.collect(engine="in-memory"), path)
    else:
        _sink(frame.with_columns(_watched(rows, tell)), path)


def _write(table: pl.DataFrame, path: Path) -> None:
    table.write_parquet(path, row_group_size=ROW_GROUP, compression_level=1, statistics=table.width < _WIDE)


def _sink(frame: pl.LazyFrame, path: Path) -> None:
    frame.sink_parquet(path, row_group_size=ROW_GROUP, compression="zstd", compression_level=1, engine="streaming")


def _watched(rows: int, tell: Callable[[float], None]) -> pl.Expr:
    """The column `_row` as it is; each part that goes by tells how far it is."""

    def look(part: pl.Series) -> pl.Series:
        if len(part):
            tell(min(1.0, part[-1] / max(1, rows)))
        return part

    return pl.col(ROW).map_batches(look, return_dtype=pl.Int64, is_elementwise=True)
