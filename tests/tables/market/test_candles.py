"""What a table can have wrong with it: handled or told, never silently wrong."""

from __future__ import annotations

from datetime import date, datetime, time

import numpy as np
import polars as pl
import pytest

from tests.tables.market.prices import prices
from thetool.tables.market.candles import Candles, Sorted, candles_of
from thetool.tables.market.columns import look_for_market
from thetool.tables.market.continuity import continuous, interval_of
from thetool.tables.market.options import MarketOptions


def taken(frame: pl.DataFrame, **options: object) -> Sorted:
    return candles_of(frame, look_for_market(frame), MarketOptions.model_validate(options))


def only(frame: pl.DataFrame, **options: object) -> Candles:
    found = taken(frame, **options)
    assert len(found.candles) == 1
    return continuous(found.candles[0], bool(options.get("adjust_splits")))


def notes(candles: Candles) -> dict[str, int]:
    return {note.code: note.rows for note in candles.notes}


def at(row: int, **values: object) -> list[pl.Expr]:
    """Other values in one row."""
    return [pl.when(pl.col("_row") == row).then(pl.lit(to)).otherwise(name).alias(name) for name, to in values.items()]


def test_clean_prices_are_as_they_are() -> None:
    frame = prices(60)
    candles = only(frame)
    assert notes(candles) == {}
    assert candles.close.tolist() == frame["Close"].to_list()
    assert candles.volume is not None
    assert candles.volume.tolist() == frame["Volume"].to_list()
    assert interval_of(candles) == "1 day"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"Date": None}, "no_date"),
        ({"Close": None}, "no_price"),
        ({"Open": float("nan")}, "no_price"),
        ({"High": float("inf")}, "no_price"),
        ({"Low": 0.0}, "not_positive"),
        ({"Low": -37.6}, "not_positive"),
        ({"High": 1.0}, "inconsistent"),
        ({"Low": 1e6}, "inconsistent"),
    ],
)
def test_rows_that_are_no_prices_are_left_out_and_told(wrong: dict[str, object], code: str) -> None:
    candles = only(prices(60).with_columns(*at(7, **wrong)))
    assert len(candles) == 59
    assert notes(candles) == {code: 1}


def test_what_rounding_does_is_widened_and_told() -> None:
    frame = prices(60).with_columns(High=pl.max_horizontal("Open", "Close") * 0.9999)
    candles = only(frame)
    assert len(candles) == 60
    assert notes(candles)["widened"] == 60
    assert (candles.high >= np.maximum(candles.open, candles.close)).all()


def test_doubled_dates() -> None:
    frame = prices(60)
    other = frame.slice(9, 1).with_columns(Close=pl.col("Close") * 1.001, High=pl.col("High") * 1.01, _row=pl.lit(61))
    candles = only(pl.concat([frame, frame.slice(3, 2), other.cast(dict(frame.schema))]))
    assert len(candles) == 60
    assert notes(candles) == {"repeated": 2, "contradicting": 1, "unsorted": 1}
    assert candles.close[9] == pytest.approx(frame["Close"][9] * 1.001)


def test_newest_first_is_as_good_as_oldest_first() -> None:
    frame = prices(60)
    assert only(frame.reverse()).close.tolist() == frame["Close"].to_list()
    assert notes(only(frame.reverse())) == {}
    shuffled = only(frame.sample(fraction=1, shuffle=True, seed=3))
    assert shuffled.close.tolist() == frame["Close"].to_list()
    assert "unsorted" in notes(shuffled)


def test_missing_volumes() -> None:
    few = only(prices(100).with_columns(*at(5, Volume=None)))
    assert notes(few) == {"volume_unreadable": 1}
    assert few.volume is not None
    assert few.volume[4] == 0
    many = only(prices(100).with_columns(Volume=pl.when(pl.col("_row") > 20).then("Volume")))
    assert many.volume is None
    assert notes(many) == {"no_volume": 20}
    assert only(prices(100).drop("Volume")).volume is None
    assert only(prices(100).with_columns(Volume=pl.lit(0))).volume is None
    assert "zero_volume" in notes(only(prices(100).with_columns(Volume=pl.col("_row") % 2)))


def test_volumes_in_thousands_and_millions() -> None:
    frame = prices(60).with_columns(Volume=pl.Series(["1.5M", "2K", "1,200", "3b", "7"] * 12))
    volume = only(frame).volume
    assert volume is not None
    assert volume[:5].tolist() == [1_500_000, 2_000, 1_200, 3e9, 7]


def test_symbols_are_kept_apart() -> None:
    parts = [
        prices(rows, seed=rows).with_columns(Symbol=pl.lit(name)) for rows, name in ((80, "A "), (60, "B"), (30, "C"))
    ]
    nameless = prices(5).with_columns(Symbol=pl.lit("  "))
    mixed = pl.concat([*parts, nameless]).sample(fraction=1, shuffle=True, seed=1)
    found = taken(mixed)
    assert {candles.symbol: len(candles) for candles in found.candles} == {"A": 80, "B": 60}
    for candles, part in zip(sorted(found.candles, key=lambda one: str(one.symbol)), parts, strict=False):
        assert candles.close.tolist() == part["Close"].to_list()
    assert [(left.symbol, left.rows) for left in found.left_out] == [("C", 30)]
    assert "50 are needed" in found.left_out[0].reason
    assert [(note.code, note.rows) for note in found.notes] == [("no_symbol", 5)]


def test_faults_are_told_of_the_symbol_that_has_them() -> None:
    two = pl.concat([prices(60, seed=seed).with_columns(Symbol=pl.lit(f"S{seed}")) for seed in (1, 2)])
    wrong = two.with_columns(
        Close=pl.when((pl.col("_row") == 7) & (pl.col("Symbol") == "S2")).then(0).otherwise("Close")
    )
    first, second = taken(wrong).candles
    assert (notes(first), notes(second)) == ({}, {"not_positive": 1})


def test_a_symbol_may_fall_short_by_what_is_left_out() -> None:
    frame = prices(55).with_columns(Close=pl.when(pl.col("_row") > 8).then("Close"))
    with pytest.raises(Exception, match="47 of 55 rows"):
        look_for_market(frame)


def test_only_the_last_so_much() -> None:
    frame = prices(600)
    candles = only(frame, data_period="6mo")
    last = frame["Date"][-1]
    assert candles.moments[0].astype("datetime64[D]").item() > date(
        last.year - (last.month < 7), (last.month - 7) % 12 + 1, 1
    )
    assert len(candles) < 140


def test_the_time_of_day_counts() -> None:
    day = [datetime(2024, 1, 2, 9 + minute // 60, minute % 60) for minute in range(120)]
    frame = prices(120).with_columns(Date=pl.lit(date(2024, 1, 2)), Time=pl.Series([moment.time() for moment in day]))
    candles = only(frame)
    assert len(candles) == 120
    assert interval_of(candles) == "1 minute"
    assert candles.moments[5].astype("datetime64[m]").item().time() == time(9, 5)


def split(frame: pl.DataFrame, row: int, ratio: float) -> pl.DataFrame:
    """As raw prices have it: all before the row are `ratio` times as high, the volume so many times as low."""
    before = pl.col("_row") < row
    return frame.with_columns(
        *(
            pl.when(before).then(pl.col(name) * ratio).otherwise(name).alias(name)
            for name in ("Open", "High", "Low", "Close")
        ),
        pl.when(before).then(pl.col("Volume") / ratio).otherwise("Volume").alias("Volume"),
    )


def test_a_split_is_told_and_divided_on_request() -> None:
    raw = split(prices(120, noise=0.005), 60, 4)
    told = only(raw)
    assert notes(told) == {"split": 1, "jumps": 1}
    assert told.close[0] == raw["Close"][0]
    divided = only(raw, adjust_splits=True)
    assert notes(divided) == {"split_adjusted": 1}
    assert divided.close == pytest.approx(prices(120, noise=0.005)["Close"].to_numpy())
    assert divided.volume == pytest.approx(prices(120, noise=0.005)["Volume"].to_numpy())


def test_adjusted_closes_take_splits_and_dividends_out() -> None:
    clean = prices(120, noise=0.005)
    raw = split(clean, 60, 2).with_columns(pl.Series("Adj Close", clean["Close"] * 0.5))
    candles = only(raw)
    assert notes(candles) == {"adjusted": 59}
    assert candles.close == pytest.approx(clean["Close"].to_numpy())
    assert candles.high == pytest.approx(clean["High"].to_numpy())
    assert candles.volume == pytest.approx(clean["Volume"].to_numpy())
    holes = raw.with_columns(pl.when(pl.col("_row") != 3).then("Adj Close").alias("Adj Close"))
    assert "not_adjusted" in notes(only(holes))


def test_gaps_and_jumps_are_told() -> None:
    frame = prices(120)
    gap = only(frame.filter(~pl.col("_row").is_between(40, 60)))
    assert notes(gap) == {"gaps": 1}
    assert "2020-02" in gap.notes[0].message
    wild = frame.with_columns(
        *(
            pl.when(pl.col("_row") == 50).then(pl.col(n) * 1.77).otherwise(n).alias(n)
            for n in ("Open", "High", "Low", "Close")
        )
    )
    assert notes(only(wild)) == {"jumps": 1}


@pytest.mark.parametrize(("days", "word"), [(7, "1 week"), (31, "1 month"), (91, "3 months"), (12, "12 days")])
def test_how_far_apart_rows_are(days: int, word: str) -> None:
    frame = prices(60).with_columns(
        Date=pl.lit(date(1990, 1, 1)).dt.offset_by((pl.col("_row") * days).cast(pl.String) + "d")
    )
    assert interval_of(only(frame)) == word
    assert notes(only(frame)) == {}
