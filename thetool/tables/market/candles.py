"""The rows of a table as candles, each symbol's apart: in order, each moment once, nothing that is no price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from thetool.tables.market.columns import FEWEST_ROWS, MarketColumns
from thetool.tables.market.options import MarketOptions
from thetool.tables.market.report import LeftOut, MarketNote
from thetool.tables.market.values import SLACK, as_moment, as_number, as_volume

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Moments = NDArray[np.datetime64]

MOST_SYMBOLS = 2_000
_LEAST, _MOST, _MOST_VOLUME = 1e-12, 1e12, 1e18

_LEFT_OUT = {
    "no_date": "{rows} without a readable date left out.",
    "no_price": "{rows} without all four prices left out.",
    "not_positive": "{rows} with a price of zero, below, or beyond 1e-12 to 1e12 left out: they allow no arithmetic.",
    "inconsistent": "{rows} left out in which high is not the highest price, or low not the lowest.",
    "repeated": "{rows} there twice with the same values; one of each counts.",
    "contradicting": "{rows} with the date of another row and other values left out; the last in the table counts.",
}
_CHANGED = {
    "widened": "{rows} in which high or low misses another price by less than 0.1 %: taken for rounding, and widened.",
    "volume_unreadable": "{rows} without a readable volume (or a negative one) count as without trade.",
}


@dataclass(frozen=True)
class Candles:
    """One symbol's prices, oldest first. Arrays of the same length; volume None where it cannot be used."""

    symbol: str | None
    moments: Moments
    open: Numbers
    high: Numbers
    low: Numbers
    close: Numbers
    volume: Numbers | None
    adjusted: Numbers | None = None
    notes: list[MarketNote] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.close)

    def with_notes(self, *notes: MarketNote, **changes: Any) -> Candles:
        """The same, with more to be told."""
        return replace(self, notes=[*self.notes, *notes], **changes)


@dataclass(frozen=True)
class Sorted:
    """All symbols with enough rows, those without, and what is to be told of the table."""

    candles: list[Candles]
    left_out: list[LeftOut]
    notes: list[MarketNote]


def candles_of(frame: pl.DataFrame | pl.LazyFrame, columns: MarketColumns, options: MarketOptions) -> Sorted:
    """Take the table apart into symbols. What is left out or changed is told, with the number of rows.

    Args:
        frame: the typed table, in the file's order.
        columns: which column is what.
        options: `data_period` cuts the beginning off.
    """
    import polars as pl

    rows = _judged(_read(frame.lazy(), columns)).collect()
    nameless = int(rows["symbol"].is_null().sum()) if columns.symbol else 0
    notes = [_note("no_symbol", f"{_rows(nameless)} without a symbol left out.", nameless)] if nameless else []
    if columns.symbol:
        rows = rows.filter(pl.col("symbol").is_not_null())
    told = {row["symbol"]: row for row in _counted(rows).iter_rows(named=True)}
    good = _good(rows, options.data_period)
    left_out: list[LeftOut] = []
    candles: list[Candles] = []
    sizes = dict(good.group_by("symbol").len().iter_rows())
    for symbol in told:
        if sizes.get(symbol, 0) < FEWEST_ROWS:
            why = f"{_rows(sizes.get(symbol, 0))} of prices; {FEWEST_ROWS} are needed."
            left_out.append(LeftOut(symbol=symbol, rows=sizes.get(symbol, 0), reason=why))
    start = 0
    kept = good.filter(pl.len().over("symbol") >= FEWEST_ROWS)
    for symbol, size in kept.group_by("symbol", maintain_order=True).len().iter_rows():
        if len(candles) < MOST_SYMBOLS:
            candles.append(_candles(kept.slice(start, size), symbol, columns, told[symbol]))
        else:
            left_out.append(LeftOut(symbol=symbol, rows=size, reason=f"Only {MOST_SYMBOLS:,} symbols are analysed."))
        start += size
    return Sorted(candles, left_out, notes)


def _read(table: pl.LazyFrame, columns: MarketColumns) -> pl.LazyFrame:
    """Only what is needed, as numbers and moments."""
    import polars as pl

    schema = table.collect_schema()
    symbol = pl.lit(None, pl.String)
    if columns.symbol:
        symbol = pl.col(columns.symbol).cast(pl.String).str.strip_chars().replace("", None)
    missing = pl.lit(None, pl.Float64)
    return table.select(
        symbol.alias("symbol"),
        as_moment(columns.date, columns.time, schema).alias("moment"),
        *(as_number(getattr(columns, price), schema).alias(price) for price in ("open", "high", "low", "close")),
        (as_volume(columns.volume, schema) if columns.volume else missing).alias("volume"),
        (as_number(columns.adjusted_close, schema) if columns.adjusted_close else missing).alias("adjusted"),
    )


def _judged(rows: pl.LazyFrame) -> pl.LazyFrame:
    """With a column for each reason why a row cannot count, in words of `_LEFT_OUT`, and for what is changed."""
    import polars as pl

    prices = [pl.col(price) for price in ("open", "high", "low", "close")]
    top, bottom = pl.max_horizontal(*prices), pl.min_horizontal(*prices)
    dated = pl.col("moment").is_not_null()
    priced = pl.all_horizontal(price.is_not_null() for price in prices)
    above = (bottom >= _LEAST) & (top <= _MOST)
    misses = pl.max_horizontal(top - pl.col("high"), pl.col("low") - bottom) / top
    counts = dated & priced & above
    volume = pl.col("volume")
    return rows.with_columns(
        (~dated).alias("no_date"),
        (dated & ~priced).alias("no_price"),
        (dated & priced & ~above).alias("not_positive"),
        (counts & (misses > SLACK)).alias("inconsistent"),
        (counts & (misses > 0) & (misses <= SLACK)).alias("widened"),
        (volume.is_null() | ~volume.is_between(0, _MOST_VOLUME)).alias("volume_unreadable"),
        pl.when(misses <= SLACK).then(top).otherwise(pl.col("high")).alias("high"),
        pl.when(misses <= SLACK).then(bottom).otherwise(pl.col("low")).alias("low"),
        pl.when(volume.is_between(0, _MOST_VOLUME)).then(volume).otherwise(0.0).alias("volume"),
        (counts & (misses <= SLACK)).fill_null(False).alias("counts"),
    ).with_columns(pl.col("counts").and_(pl.struct("symbol", "moment").is_duplicated()).alias("doubled"))


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """By symbol how many rows have which fault, and in which order the rows are."""
    import polars as pl

    values = pl.struct("moment", "open", "high", "low", "close", "volume")
    counts, doubled = pl.col("counts"), pl.col("doubled")
    steps = pl.col("moment").filter(counts).diff()
    return rows.group_by("symbol", maintain_order=True).agg(
        *(pl.col(name).sum() for name in ("no_date", "no_price", "not_positive", "inconsistent", "widened")),
        (pl.col("volume_unreadable") & counts).sum(),
        counts.sum(),
        doubled.sum(),
        values.filter(doubled).n_unique().alias("different"),
        pl.col("moment").filter(doubled).n_unique().alias("moments"),
        (steps < pl.duration()).sum().alias("backward"),
        (steps > pl.duration()).sum().alias("forward"),
    )


def _good(rows: pl.DataFrame, period: str | None) -> pl.DataFrame:
    """The rows that count, by symbol and moment; of the same moment the last in the table."""
    import polars as pl

    good = rows.filter("counts").with_row_index("place")
    order = good.group_by("symbol").agg(pl.col("place").min().alias("first"))
    good = good.join(order, on="symbol", nulls_equal=True)
    good = good.sort("first", "moment", "place")
    if good["doubled"].any():
        good = good.unique(["first", "moment"], keep="last", maintain_order=True)
    if period:
        good = good.filter(pl.col("moment") > pl.col("moment").max().over("first").dt.offset_by(f"-{period}"))
    return good


def _candles(rows: pl.DataFrame, symbol: str | None, columns: MarketColumns, told: Mapping[str, Any]) -> Candles:
    missing = _without_volume(rows["volume"], columns, told)
    notes = _notes(told, missing is None)
    if missing:
        notes.append(_note("no_volume", f"{missing}, so OBV and CMF are not computed.", told["volume_unreadable"]))
    return Candles(
        symbol=symbol,
        moments=rows["moment"].to_numpy(),
        open=rows["open"].to_numpy(),
        high=rows["high"].to_numpy(),
        low=rows["low"].to_numpy(),
        close=rows["close"].to_numpy(),
        volume=None if missing else rows["volume"].to_numpy(),
        adjusted=rows["adjusted"].to_numpy() if columns.adjusted_close else None,
        notes=notes,
    )


def _without_volume(volume: pl.Series, columns: MarketColumns, told: Mapping[str, Any]) -> str | None:
    """Why the volume cannot be used, if it cannot."""
    if columns.volume is None:
        return "The table has no column of volumes"
    if told["volume_unreadable"] > told["counts"] / 10:
        return "The volume is missing in more than a tenth of the rows"
    return None if (volume > 0).any() else "The volume is zero in every row"


def _notes(told: Mapping[str, Any], with_volume: bool) -> list[MarketNote]:
    repeated = told["doubled"] - told["different"]
    faults = {**told, "repeated": repeated, "contradicting": told["different"] - told["moments"]}
    words = {**_LEFT_OUT, **_CHANGED}
    if not with_volume:
        words.pop("volume_unreadable")
    notes = [
        _note(code, said.format(rows=_rows(faults[code])), faults[code]) for code, said in words.items() if faults[code]
    ]
    if told["backward"] and told["forward"]:
        notes.append(_note("unsorted", "The rows are not in order of time; they were put in order.", told["backward"]))
    return notes


def _note(code: str, message: str, rows: int) -> MarketNote:
    return MarketNote(code=code, message=message, rows=rows)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
