"""The chart of a report: what is drawn is what the series says."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest

from tests.tables.market.prices import prices
from thetool.tables.market.analysis import analyze_market
from thetool.tables.market.columns import look_for_market
from thetool.tables.market.report import SymbolResult
from thetool.tables.report.market_chart import MOST_POINTS, market_chart


def result(frame: pl.DataFrame) -> SymbolResult:
    return analyze_market(frame, look_for_market(frame)).symbols[0]


def drawn(frame: pl.DataFrame) -> ElementTree.Element:
    return ElementTree.fromstring(market_chart(result(frame)))  # noqa: S314  our own


def paths(chart: ElementTree.Element, look: str) -> list[str]:
    return [str(path.get("d")) for path in chart.iter("path") if path.get("class") == look]


def test_each_candle_is_drawn_rising_or_falling() -> None:
    frame = prices(120)
    chart = drawn(frame)
    rising = int((frame["Close"] >= frame["Open"]).sum())
    bodies = [paths(chart, f"candle {way}")[0].count("z") for way in ("up", "down")]
    assert bodies == [rising, 120 - rising]
    assert sum(paths(chart, f"bar {way}")[0].count("z") for way in ("up", "down")) == 120
    assert paths(chart, "line rsi")[0].count("L") == 120 - 14 - 1


def test_the_latest_are_drawn() -> None:
    frame = prices(400)
    chart = drawn(frame)
    assert sum(paths(chart, f"candle {way}")[0].count("z") for way in ("up", "down")) == MOST_POINTS
    label = str(chart.get("aria-label"))
    assert f"from {frame['Date'][-MOST_POINTS]} to {frame['Date'][-1]}" in label
    assert paths(chart, "line slow")[0].count("L") == 400 - 199 - 1


FLAT = {name: pl.lit(5.0) for name in ("Open", "High", "Low", "Close")}


@pytest.mark.parametrize(
    ("frame", "panels"),
    [
        (prices(60), ["Volume", "RSI", "MACD"]),
        (prices(60).drop("Volume"), ["RSI", "MACD"]),
        (prices(60).with_columns(**FLAT), ["Volume", "RSI", "MACD"]),
        (prices(60, start=1e-7), ["Volume", "RSI", "MACD"]),
        (prices(60, start=1e9), ["Volume", "RSI", "MACD"]),
        (prices(9_000, noise=0.03), ["Volume", "RSI", "MACD"]),
        (prices(60).with_columns(Date=pl.datetime(2024, 1, 2) + pl.duration(minutes=5) * pl.col("_row")), None),
    ],
)
def test_everything_lies_within_the_picture(frame: pl.DataFrame, panels: Any) -> None:
    chart = drawn(frame)
    _, _, width, height = map(float, str(chart.get("viewBox")).split())
    for path in chart.iter("path"):
        d = str(path.get("d"))
        assert "nan" not in d
        assert "inf" not in d
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", d):
            assert -0.5 <= float(x) <= width
            assert -0.5 <= float(y) <= height
    texts = [text.text for text in chart.iter("text") if text.get("class") == "title"]
    assert texts == (panels or ["Volume", "RSI", "MACD"])
    assert len([text for text in chart.iter("text") if text.get("class") == "tick middle"]) >= 2


def test_without_a_series_there_is_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="no series"):
        market_chart(result(prices(60)).model_copy(update={"series": None}))
