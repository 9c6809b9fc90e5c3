"""A column's values as moments and as numbers, as expressions of Polars: null where they are neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

SLACK = 1e-3
"""High and low may miss the other prices by so much of them, as rounding does; they are widened."""

_DATES = ("%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d")
_MOMENTS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y.%m.%d %H:%M",
    "%Y%m%d %H%M%S",
    "%Y%m%d %H:%M",
)
_TIMES = ("%H:%M:%S", "%H:%M", "%H%M%S", "%H%M")
_THOUSANDS = {"k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}


def as_number(name: str, schema: pl.Schema) -> pl.Expr:
    """A number, or null: what is infinite or no number is none."""
    import polars as pl

    kind = schema[name]
    if not (kind.is_numeric() or kind == pl.String):
        return pl.lit(None, pl.Float64)
    number = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def as_volume(name: str, schema: pl.Schema) -> pl.Expr:
    """As `as_number`, and `1.2M` is 1,200,000."""
    import polars as pl

    if schema[name] != pl.String:
        return as_number(name, schema)
    text = pl.col(name).str.strip_chars().str.replace_all(",", "", literal=True).str.to_lowercase()
    number = text.str.strip_suffix("k").str.strip_suffix("m").str.strip_suffix("b").str.strip_suffix("t")
    times = text.str.slice(-1).replace_strict(_THOUSANDS, default=1.0, return_dtype=pl.Float64)
    value = number.cast(pl.Float64, strict=False) * times
    return pl.when(value.is_finite()).then(value)


def as_moment(date: str, time: str | None, schema: pl.Schema) -> pl.Expr:
    """When, in UTC where the table says a zone, else as it stands: milliseconds, null where it cannot be read."""
    import polars as pl

    day = _moment(date, schema)
    if time is None:
        return day
    if schema[time] == pl.Time:
        clock = pl.col(time)
    elif schema[time] == pl.String:
        clock = pl.coalesce(*(pl.col(time).str.to_time(form, strict=False) for form in _TIMES))
    else:
        clock = pl.col(time).cast(pl.String).str.zfill(4).str.to_time("%H%M", strict=False)
    return day + (clock.cast(pl.Int64) // 1_000_000).cast(pl.Duration("ms"))


def _moment(name: str, schema: pl.Schema) -> pl.Expr:
    import polars as pl

    kind = schema[name]
    column = pl.col(name)
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    elif kind == pl.String:
        dates = (column.str.to_date(form, strict=False).cast(pl.Datetime("ms")) for form in _DATES)
        moments = (column.str.to_datetime(form, time_unit="ms", strict=False) for form in _MOMENTS)
        return pl.coalesce(*dates, *moments)
    elif kind.is_integer() or kind.is_float():
        return _from_number(column)
    elif not kind.is_temporal() or kind in (pl.Time, pl.Duration):
        return pl.lit(None, pl.Datetime("ms"))
    return column.cast(pl.Datetime("ms"))


def _from_number(column: pl.Expr) -> pl.Expr:
    """20240131, or seconds, milli-, micro- or nanoseconds since 1970 (what each can be from 1973 on)."""
    import polars as pl

    number = column.cast(pl.Int64, strict=False)
    day = number.cast(pl.String).str.to_date("%Y%m%d", strict=False).cast(pl.Datetime("ms"))
    spans = [(1e8, 1e11, 1000, 1), (1e11, 1e14, 1, 1), (1e14, 1e17, 1, 1000), (1e17, 9.3e18, 1, 1_000_000)]
    moments = [
        pl.when((number >= low) & (number < high)).then(number * times // parts).cast(pl.Datetime("ms"))
        for low, high, times, parts in spans
    ]
    return pl.coalesce(pl.when(number.is_between(19_000_101, 21_991_231)).then(day), *moments)
