"""Writing Parquet from a lazy frame in bounded memory, with progress by rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from thetool.tables.reading.names import ROW

ROW_GROUP = 50_000


def sink(frame: pl.LazyFrame, path: Path, rows: int | None, tell: Callable[[float], None]) -> None:
    """Write a frame whose first column is `_row`; `tell` hears the share of `rows` that is written."""
    frame.with_columns(_watched(rows, tell)).sink_parquet(
        path, row_group_size=ROW_GROUP, compression="zstd", compression_level=1, engine="streaming"
    )


def _watched(rows: int | None, tell: Callable[[float], None]) -> pl.Expr:
    """The column `_row` as it is; each part that goes by tells how far it is."""

    def look(part: pl.Series) -> pl.Series:
        if rows and len(part):
            tell(min(1.0, part[-1] / rows))
        return part

    return pl.col(ROW).map_batches(look, return_dtype=pl.Int64, is_elementwise=True)


def rows_in(path: Path) -> int:
    """How many rows a Parquet file has."""
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def as_text(frame: pl.DataFrame, names: Sequence[str], first_row: int) -> pl.DataFrame:
    """A frame of texts with `_row` before it."""
    return frame.select(pl.int_range(first_row, first_row + frame.height, dtype=pl.Int64).alias(ROW), *names)
