"""Writing Parquet from a lazy frame in bounded memory, with progress by rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from thetool.tables.reading.names import ROW

ROW_GROUP = 50_000
_SMALL_CELLS, _SMALL_BYTES = 4_000_000, 64 << 20
_WIDE = 1_000  # columns, whose statistics would take as long as they themselves


Engine = Literal["streaming", "in-memory"]


def engine_for(rows: int, columns: int, size: int) -> Engine:
    """How Polars is to run on so many rows, columns and bytes: what is small is done before streaming has started."""
    return "in-memory" if rows * columns <= _SMALL_CELLS and size <= _SMALL_BYTES else "streaming"


@dataclass(frozen=True)
class Written:
    """A table that was written: in memory when it is small, else read anew each time it is looked at."""

    frame: pl.LazyFrame
    rows: int
    engine: Engine


def sink(frame: pl.LazyFrame, path: Path, rows: int, engine: Engine, tell: Callable[[float], None]) -> Written:
    """Write a frame whose first column is `_row`; `tell` hears the share of `rows` that is written."""
    if engine == "in-memory":
        table = frame.collect(engine="in-memory")
        table.write_parquet(path, row_group_size=ROW_GROUP, compression_level=1, statistics=table.width < _WIDE)
        return Written(table.lazy(), table.height, engine)
    frame.with_columns(_watched(rows, tell)).sink_parquet(
        path, row_group_size=ROW_GROUP, compression="zstd", compression_level=1, engine="streaming"
    )
    written = pl.scan_parquet(path, glob=False)
    return Written(written, int(written.select(pl.len()).collect().item()), engine)


def _watched(rows: int, tell: Callable[[float], None]) -> pl.Expr:
    """The column `_row` as it is; each part that goes by tells how far it is."""

    def look(part: pl.Series) -> pl.Series:
        if len(part):
            tell(min(1.0, part[-1] / max(1, rows)))
        return part

    return pl.col(ROW).map_batches(look, return_dtype=pl.Int64, is_elementwise=True)
