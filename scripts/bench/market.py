#!/usr/bin/env python3
"""Market prices: finding the columns, analysing them, beside two other libraries' indicators alone.

    scripts/bench/market.py [--rounds 7]

Prints the median, after one round to warm up.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import polars as pl

from thetool.tables.market.analysis import analyze_market
from thetool.tables.market.candles import candles_of
from thetool.tables.market.columns import look_for_market
from thetool.tables.market.indicators import compute
from thetool.tables.market.options import MarketOptions


def prices(rows: int, symbols: int = 1) -> pl.DataFrame:
    """Random walks, a candle a day."""
    chance = np.random.default_rng(7)
    parts = []
    for number in range(symbols):
        close = 100 * np.exp(np.cumsum(chance.normal(0, 0.015, rows)))
        opened = np.concatenate(([100], close[:-1]))
        parts.append(
            pl.DataFrame(
                {
                    "Symbol": [f"S{number}"] * rows,
                    "Date": pl.date_range(pl.date(1990, 1, 1), pl.date(2090, 1, 1), eager=True)[:rows],
                    "Open": opened,
                    "High": np.maximum(opened, close) * 1.003,
                    "Low": np.minimum(opened, close) * 0.997,
                    "Close": close,
                    "Volume": chance.integers(1_000, 100_000, rows),
                }
            )
        )
    return pl.concat(parts)


def measure(what: str, work: Callable[[], object], rounds: int) -> None:
    """Print the median of so many rounds."""
    work()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    print(f"| {what} | {statistics.median(seconds) * 1000:,.1f} |", flush=True)


def pandas_ta(frame: pl.DataFrame) -> Callable[[], object]:
    """The same indicators by pandas-ta-classic, without TA-Lib."""
    import pandas as pd
    import pandas_ta_classic as ta

    names = ("Open", "High", "Low", "Close", "Volume")
    _, high, low, close, volume = (pd.Series(frame[name].to_numpy()).astype(float) for name in names)
    return lambda: [
        ta.rsi(close, talib=False),
        ta.stoch(high, low, close, talib=False),
        ta.cci(high, low, close, talib=False),
        ta.willr(high, low, close, talib=False),
        ta.macd(close, talib=False),
        ta.adx(high, low, close, talib=False),
        ta.ema(close, length=50, talib=False),
        ta.ema(close, length=200, talib=False),
        ta.psar(high, low, close),
        ta.bbands(close, talib=False),
        ta.atr(high, low, close, talib=False),
        ta.obv(close, volume, talib=False),
        ta.cmf(high, low, close, volume),
    ]


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    one, many = prices(10_000), prices(2_000, 500)
    columns, options = look_for_market(one), MarketOptions()
    candles = candles_of(one, columns, options).candles[0]
    print("| market prices | ms |\n| --- | --- |")
    measure("10,000 rows: the columns found", lambda: look_for_market(one), rounds)
    measure("10,000 rows: analysed", lambda: analyze_market(one, columns, options), rounds)
    measure(
        "10,000 rows: analysed, and written as JSON", lambda: analyze_market(one, columns).model_dump_json(), rounds
    )
    measure("10,000 rows: the indicators alone", lambda: compute(candles), rounds)
    measure("10,000 rows: the indicators alone, pandas-ta-classic", pandas_ta(one), rounds)
    found = look_for_market(many)
    measure("500 symbols of 2,000 rows: the columns found", lambda: look_for_market(many), 3)
    measure("500 symbols of 2,000 rows: analysed", lambda: analyze_market(many, found, options), 3)


if __name__ == "__main__":
    main()
