"""The chart's points: all rows, or rows joined openly."""

from __future__ import annotations

import polars as pl
import pytest

from tests.tables.market.prices import prices
from thetool.tables.market.analysis import analyze_market
from thetool.tables.market.columns import look_for_market
from thetool.tables.market.report import Series
from thetool.tables.market.series import points_each


def series(frame: pl.DataFrame) -> Series:
    found = analyze_market(frame, look_for_market(frame)).symbols[0].series
    assert found is not None
    return found


def test_each_row_is_a_point() -> None:
    frame = prices(250)
    found = series(frame)
    assert found.rows_per_point == 1
    assert found.date[0] == "2020-01-02"
    assert found.close == pytest.approx(frame["Close"].to_list(), rel=1e-6)
    assert found.ema_slow[:199] == [None] * 199
    assert found.ema_slow[199] is not None
    assert {len(values) for name, values in found if isinstance(values, list)} == {250}


def test_more_rows_than_points_are_joined() -> None:
    frame = prices(5_003)
    found = series(frame)
    assert found.rows_per_point == 3
    assert len(found.date) == 1_668
    last = frame.tail(3)
    assert found.open[-1] == pytest.approx(last["Open"][0], rel=1e-6)
    assert found.high[-1] == pytest.approx(last["High"].max(), rel=1e-6)
    assert found.low[-1] == pytest.approx(last["Low"].min(), rel=1e-6)
    assert found.close[-1] == pytest.approx(last["Close"][2], rel=1e-6)
    assert found.volume is not None
    assert sum(found.volume) == pytest.approx(frame["Volume"].sum(), rel=1e-6)
    assert max(found.high) == pytest.approx(frame["High"].max(), rel=1e-6)


def test_times_of_day_are_told_where_there_are_any() -> None:
    frame = prices(60).with_columns(pl.col("Date").cast(pl.Datetime).dt.offset_by("9h30m"))
    assert series(frame).date[0] == "2020-01-02T09:30"


def test_many_symbols_share_the_points() -> None:
    assert points_each(1) == 2_000
    assert points_each(100) == 200
    assert points_each(167) is None


def test_of_too_many_symbols_the_clearest_are_drawn_and_that_is_told() -> None:
    frame = pl.concat([prices(50, seed=seed).with_columns(Symbol=pl.lit(str(seed))) for seed in range(170)])
    market = analyze_market(frame, look_for_market(frame))
    drawn = [abs(symbol.score or 0) for symbol in market.symbols if symbol.series]
    others = [abs(symbol.score or 0) for symbol in market.symbols if not symbol.series]
    assert len(drawn) == 100
    assert min(drawn) >= max(others)
    assert [note.code for note in market.notes] == ["fewer_charts"]
