"""Which columns are a market's: by name in many languages, never against the values."""

from __future__ import annotations

from datetime import time

import polars as pl
import pytest

from tests.tables.market.prices import prices
from thetool.tables.market.columns import NoMarketError, find_market, look_for_market

ROLES = ["date", "open", "high", "low", "close", "volume"]


@pytest.mark.parametrize(
    "names",
    [
        ["Date", "Open", "High", "Low", "Close", "Volume"],
        ["timestamp", "open", "high", "low", "close", "volume"],
        ["<DTYYYYMMDD>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<VOL>"],
        ["Datum", "Eröffnung", "Hoch", "Tief", "Schluss", "Volumen"],
        ["Datum", "Erster", "Hoch", "Tief", "Schlusskurs", "Stücke"],
        ["date", "ouverture", "haut", "bas", "clôture", "volume"],
        ["Fecha", "Apertura", "Máximo", "Mínimo", "Último", "Vol."],
        ["Data", "Otwarcie", "Najwyzszy", "Najnizszy", "Zamkniecie", "Wolumen"],
        ["日期", "开盘", "最高", "最低", "收盘", "成交量"],
        ["日付", "始値", "高値", "安値", "終値", "出来高"],
        ["TradDt", "OpnPric", "HghPric", "LwPric", "ClsPric", "TtlTradgVol"],
        ["timestamp", "1. open", "2. high", "3. low", "4. close", "5. volume"],
        ["Date", "Open*", "High", "Low", "Close*", "Volume"],
        ["Date", "Open (USD)", "High (USD)", "Low (USD)", "Close (USD)", "Volume BTC"],
        ["t", "o", "h", "l", "c", "v"],
    ],
)
def test_names_of_many_sources(names: list[str]) -> None:
    frame = prices(60).rename(dict(zip(["Date", "Open", "High", "Low", "Close", "Volume"], names, strict=True)))
    found = find_market(frame)
    if names[0] == "t":
        assert found is None  # one letter is no name of a date; it can be said which it is
        found = find_market(frame, {"date": "t"})
    assert found is not None
    assert [getattr(found, role) for role in ROLES] == names
    assert found.consistent == 1


def test_price_is_the_close_where_nothing_else_is() -> None:
    """The order of a well-known site: Date, Price, Open, High, Low, Vol., Change %."""
    frame = prices(60).rename({"Close": "Price", "Volume": "Vol."})
    assert find_market(frame).close == "Price"  # type: ignore[union-attr]
    assert find_market(frame.with_columns(Close=pl.col("Price"))).close == "Close"  # type: ignore[union-attr]


def test_adjusted_close_beside_the_close() -> None:
    found = find_market(prices(60).with_columns(pl.col("Close").alias("Adj Close")))
    assert found is not None
    assert (found.close, found.adjusted_close) == ("Close", "Adj Close")


def test_a_file_without_names_by_its_values() -> None:
    frame = prices(80).rename({name: f"column_{at}" for at, name in enumerate(prices(1).columns[1:], 1)})
    found = find_market(frame)
    assert found is not None
    assert found.found_by == "values"
    assert [getattr(found, role) for role in ROLES] == [f"column_{at}" for at in range(1, 7)]


def test_four_columns_alike_are_no_prices() -> None:
    alike = prices(80).select("_row", column_1="Date", column_2="Low", column_3="Low", column_4="Low", column_5="Low")
    assert find_market(alike) is None


def test_other_tables_are_no_markets() -> None:
    weather = prices(80).select("_row", "Date", pl.col("Close").alias("Temperature"), "High", "Low")
    assert find_market(weather) is None
    with pytest.raises(NoMarketError, match="open and close"):
        look_for_market(weather)
    wild = prices(80).with_columns(High=pl.col("Low"), Low=pl.col("High"))
    with pytest.raises(NoMarketError, match="highest"):
        look_for_market(wild)
    with pytest.raises(NoMarketError, match="50 are needed"):
        look_for_market(prices(49))
    with pytest.raises(NoMarketError, match="no column 'Kurs'"):
        look_for_market(prices(80), {"close": "Kurs"})
    assert find_market(pl.DataFrame({"_row": [1], "a": ["x"]})) is None
    assert find_market(pl.DataFrame()) is None


def test_a_day_of_many_symbols_is_no_history() -> None:
    day = pl.concat([prices(1, seed=seed).with_columns(Symbol=pl.lit(f"S{seed}")) for seed in range(60)])
    with pytest.raises(NoMarketError, match="most that one has is 1"):
        look_for_market(day)


def test_symbols_by_name_and_by_what_parts_the_dates() -> None:
    two = pl.concat(
        [prices(60, seed=seed).with_columns(Symbol=pl.lit(f"S{seed}"), Note=pl.lit("x")) for seed in (1, 2)]
    )
    assert find_market(two).symbol == "Symbol"  # type: ignore[union-attr]
    assert find_market(two.rename({"Symbol": "Wertpapier 7"})).symbol == "Wertpapier 7"  # type: ignore[union-attr]
    assert find_market(prices(60).with_columns(Note=pl.lit("x"))).symbol is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "moment",
    [
        pl.col("Date").cast(pl.Datetime("us", "Europe/Berlin")),
        pl.col("Date").dt.to_string("%Y-%m-%d"),
        pl.col("Date").dt.to_string("%Y%m%d"),
        pl.col("Date").dt.to_string("%Y%m%d").cast(pl.Int64),
        pl.col("Date").dt.epoch("s"),
        pl.col("Date").dt.epoch("ms"),
    ],
)
def test_dates_of_many_kinds(moment: pl.Expr) -> None:
    assert find_market(prices(60).with_columns(Date=moment)) is not None


def test_a_column_for_the_time_of_day() -> None:
    frame = prices(60).with_columns(Time=pl.lit(time(9, 30)))
    assert find_market(frame).time == "Time"  # type: ignore[union-attr]
