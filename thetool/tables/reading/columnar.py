"""Parquet: the types are declared, and kept; what is nested becomes JSON text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from thetool.tables.reading.damage import damage_told
from thetool.tables.reading.draft import Draft
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.names import ROW, named
from thetool.tables.reading.problems import TableTooLarge
from thetool.tables.reading.report import Choice, ColumnType, ReadingNote
from thetool.tables.reading.sink import engine_for, sink

_MOMENT = "%Y-%m-%d %H:%M:%S%.6f"


def read(source: Path, target: Path, limits: Limits, tell: Callable[[float], None]) -> Draft:
    """Write `target` with all values as text, and tell what the file declares.

    Raises:
        DamagedTable: it cannot be read to its end.
        TableTooLarge: it has more rows or columns than a table may.
    """
    with damage_told("The Parquet file", pl.exceptions.PolarsError, OSError):
        frame = pl.scan_parquet(source, glob=False)
        schema = frame.collect_schema()
        rows = int(frame.select(pl.len()).collect().item())
        if rows > limits.rows or len(schema) > limits.columns:
            most = f"{limits.rows:,} and {limits.columns:,} are the most"
            raise TableTooLarge(f"It has {rows:,} rows and {len(schema):,} columns; {most}.")
        names, notes = named(list(schema))
        texts = [_text(old, dtype).alias(new) for (old, dtype), new in zip(schema.items(), names, strict=True)]
        numbered = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW)
        written = sink(
            frame.select(numbered, *texts), target, rows, engine_for(rows, len(names), 16 * source.stat().st_size), tell
        )
    nested = [name for name, dtype in zip(names, schema.dtypes(), strict=True) if dtype.is_nested()]
    if nested:
        told = f"{', '.join(nested[:10])}: nested values are kept as JSON text."
        notes.append(ReadingNote(code="nested_values", message=told, count=len(nested)))
    declared = {name: kind for name, dtype in zip(names, schema.dtypes(), strict=True) if (kind := _kind(dtype))}
    header = Choice(value=0, reason="Parquet names its columns itself.")
    return Draft(header=header, names=names, originals=list(schema), notes=notes, text=written, declared=declared)


def _kind(dtype: pl.DataType) -> ColumnType | None:
    if dtype.is_integer():
        return ColumnType.INTEGER
    if dtype.is_numeric():
        return ColumnType.NUMBER
    if dtype == pl.Boolean:
        return ColumnType.BOOLEAN
    if dtype == pl.Date:
        return ColumnType.DATE
    if isinstance(dtype, pl.Datetime):
        return ColumnType.DATETIME
    return ColumnType.TIME if dtype == pl.Time else None


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        zoned = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        return zoned.dt.cast_time_unit("us").dt.strftime(_MOMENT + ("Z" if dtype.time_zone else ""))
    if dtype == pl.Time:
        return column.dt.strftime("%H:%M:%S%.6f")
    if dtype == pl.Duration:
        return column.dt.to_string("iso")
    if dtype == pl.Binary:
        return column.bin.encode("base64")
    if dtype.is_nested():
        return _json(column)
    return column.cast(pl.String)


def _json(column: pl.Expr) -> pl.Expr:
    """`{"v":[1,2]}` without its shell."""
    wrapped = pl.struct(column.alias("v")).struct.json_encode()
    return pl.when(column.is_not_null()).then(wrapped.str.slice(5).str.head(-1))
