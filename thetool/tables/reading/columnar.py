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
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # of the years 1 to 9999, from 1970-01-01: all that Python knows
_DAY = {"ms": 86_400_000, "us": 86_400_000_000}


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
        texts = [as_text(old, dtype).alias(new) for (old, dtype), new in zip(schema.items(), names, strict=True)]
        numbered = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(ROW)
        written = sink(
            frame.select(numbered, *texts), target, rows, engine_for(rows, len(names), 16 * source.stat().st_size), tell
        )
        notes += _beyond_note(frame, schema, names)
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


def as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """The column as text; dates that no calendar has as what is stored of them."""
    column, bounds = pl.col(name), _bounds(dtype)
    if bounds is None:
        return _usual_text(column, dtype)
    inside = _is_inside(column, bounds)
    stored = pl.concat_str(column.to_physical().cast(pl.String), pl.lit(f" {bounds[2]}"))
    return pl.when(inside).then(_usual_text(pl.when(inside).then(column), dtype)).otherwise(stored)


def _usual_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
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


_Bounds = tuple[int, int, str]


def _bounds(dtype: pl.DataType) -> _Bounds | None:
    """The least and the greatest that is stored of a date with a year from 1 to 9999, and the unit; None: any is."""
    if dtype == pl.Date:
        return _FIRST_DAY, _LAST_DAY, "days from 1970-01-01"
    if isinstance(dtype, pl.Datetime) and dtype.time_unit in _DAY:
        day = _DAY[dtype.time_unit]
        return _FIRST_DAY * day, (_LAST_DAY + 1) * day - 1, f"{dtype.time_unit} from 1970-01-01"
    return (0, 86_400_000_000_000 - 1, "ns from midnight") if dtype == pl.Time else None


def _is_inside(column: pl.Expr, bounds: _Bounds) -> pl.Expr:
    return column.to_physical().is_between(bounds[0], bounds[1])


def _beyond_note(frame: pl.LazyFrame, schema: pl.Schema, names: list[str]) -> list[ReadingNote]:
    """That there are dates which no calendar has: in which columns, and how many."""
    asked = {
        new: (~_is_inside(pl.col(old), bounds)).sum().alias(new)
        for (old, dtype), new in zip(schema.items(), names, strict=True)
        if (bounds := _bounds(dtype))
    }
    if not asked:
        return []
    counts = {name: count for name, count in frame.select(asked.values()).collect().row(0, named=True).items() if count}
    if not counts:
        return []
    which = ", ".join(f"{name} ({count:,})" for name, count in list(counts.items())[:10])
    told = (
        f"Dates before the year 1 or after 9999, or times beyond a day, are kept as the number that is stored: {which}."
    )
    return [ReadingNote(code="dates_out_of_range", message=told, count=sum(counts.values()))]


def _json(column: pl.Expr) -> pl.Expr:
    """`{"v":[1,2]}` without its shell."""
    wrapped = pl.struct(column.alias("v")).struct.json_encode()
    return pl.when(column.is_not_null()).then(wrapped.str.slice(5).str.head(-1))
