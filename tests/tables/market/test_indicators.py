"""Each indicator beside a second library (talipp, written by others in plain Python), or beside what its author says.

CMF, which talipp lacks, is beside pandas-ta-classic. RSI is also beside the worked example of StockCharts' ChartSchool
("Relative Strength Index (RSI)", closes of QQQQ).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import talipp.indicators as second
from talipp.ohlcv import OHLCV

from tests.tables.market.prices import prices
from thetool.tables.market import indicators
from thetool.tables.market.candles import Candles, candles_of
from thetool.tables.market.columns import look_for_market
from thetool.tables.market.indicators import PARAMETERS, TITLES, compute
from thetool.tables.market.options import MarketOptions
from thetool.tables.market.strategies import INDICATORS


@pytest.fixture(scope="module")
def candles() -> Candles:
    frame = prices(600, seed=11)
    return candles_of(frame, look_for_market(frame), MarketOptions()).candles[0]


@pytest.fixture(scope="module")
def bars(candles: Candles) -> list[OHLCV]:
    assert candles.volume is not None
    rows = zip(candles.open, candles.high, candles.low, candles.close, candles.volume, strict=True)
    return [OHLCV(*map(float, row)) for row in rows]


def line(values: Iterable[Any], name: str | None = None) -> np.ndarray:
    """What the second library gives, with NaN where it gives nothing."""
    found = [value if name is None or value is None else getattr(value, name) for value in values]
    return np.array([np.nan if value is None else float(value) for value in found])


def same(ours: np.ndarray, theirs: np.ndarray, *, warm_up: int | None, settled: int = 0, within: float = 1e-9) -> None:
    """The same values from row `settled` on; ours begin after `warm_up` rows of NaN."""
    assert len(ours) == len(theirs)
    if warm_up is not None:
        assert np.isnan(ours[:warm_up]).all()
        assert not np.isnan(ours[warm_up:]).any()
    start = max(settled, warm_up or 0)
    assert not np.isnan(theirs[start:]).any()
    np.testing.assert_allclose(ours[start:], theirs[start:], rtol=within, atol=1e-9)


def closes(candles: Candles) -> list[float]:
    return candles.close.tolist()


def test_rsi(candles: Candles) -> None:
    same(indicators.rsi(candles.close)["rsi"], line(second.RSI(14, closes(candles))), warm_up=14)


def test_rsi_of_the_published_example() -> None:
    closes = [
        44.3389,
        44.0902,
        44.1497,
        43.6124,
        44.3278,
        44.8264,
        45.0955,
        45.4245,
        45.8433,
        46.0826,
        45.8931,
        46.0328,
    ]
    closes += [45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439]
    found = indicators.rsi(np.array(closes))["rsi"]
    assert found[14:].round(2).tolist() == pytest.approx([70.53, 66.32, 66.55, 69.41, 66.36, 57.97], abs=0.02)


def test_stochastic(candles: Candles, bars: list[OHLCV]) -> None:
    fast = line(second.Stoch(14, 3, bars), "k")
    smooth = np.convolve(fast[13:], np.ones(3) / 3, "valid")
    found = indicators.stochastic(candles)
    # TA-Lib gives %K no sooner than %D
    same(found["k"], np.concatenate([np.full(15, np.nan), smooth]), warm_up=17)
    same(found["d"], np.concatenate([np.full(17, np.nan), np.convolve(smooth, np.ones(3) / 3, "valid")]), warm_up=17)


def test_cci(candles: Candles, bars: list[OHLCV]) -> None:
    same(indicators.cci(candles)["cci"], line(second.CCI(20, bars)), warm_up=19)


def test_williams(candles: Candles, bars: list[OHLCV]) -> None:
    same(indicators.williams(candles)["williams"], line(second.Williams(14, bars)), warm_up=13)


def test_macd(candles: Candles) -> None:
    theirs, ours = list(second.MACD(12, 26, 9, closes(candles))), indicators.macd(candles.close)
    same(ours["macd"], line(theirs, "macd"), warm_up=25)
    same(ours["signal"], line(theirs, "signal"), warm_up=33)
    same(ours["histogram"], line(theirs, "histogram"), warm_up=33)


def test_adx(candles: Candles, bars: list[OHLCV]) -> None:
    """The two begin Wilder's sums a row apart, which is forgotten after some 200 rows."""
    theirs, ours = list(second.ADX(14, 14, bars)), indicators.adx(candles)
    same(ours["adx"], line(theirs, "adx"), warm_up=27, settled=300, within=1e-6)
    same(ours["plus_di"], line(theirs, "plus_di"), warm_up=14, settled=300, within=1e-6)
    same(ours["minus_di"], line(theirs, "minus_di"), warm_up=14, settled=300, within=1e-6)


@pytest.mark.parametrize(("name", "rows"), [("fast", 50), ("slow", 200)])
def test_ema(candles: Candles, name: str, rows: int) -> None:
    same(indicators.ema(candles.close)[name], line(second.EMA(rows, closes(candles))), warm_up=rows - 1)


def test_psar(candles: Candles, bars: list[OHLCV]) -> None:
    """The first direction is chosen differently; from the first turn that both make they are the same."""
    theirs = line(second.ParabolicSAR(0.02, 0.02, 0.2, bars), "value")
    same(indicators.psar(candles)["psar"], theirs, warm_up=1, settled=60)


def test_bollinger(candles: Candles) -> None:
    theirs, ours = list(second.BB(20, 2, closes(candles))), indicators.bollinger(candles.close)
    same(ours["upper"], line(theirs, "ub"), warm_up=19)
    same(ours["middle"], line(theirs, "cb"), warm_up=19)
    same(ours["lower"], line(theirs, "lb"), warm_up=19)


def test_atr(candles: Candles, bars: list[OHLCV]) -> None:
    """The two begin a row apart: whether the first row, which has no close before, counts."""
    same(indicators.atr(candles)["atr"], line(second.ATR(14, bars)), warm_up=14, settled=300, within=1e-6)


def test_obv(candles: Candles, bars: list[OHLCV]) -> None:
    """From where it begins is a convention; what it rises and falls by is not."""
    theirs, ours = line(second.OBV(bars)), indicators.obv(candles)["obv"]
    same(ours - ours[0], theirs - theirs[0], warm_up=0)


@pytest.mark.filterwarnings("ignore:Timestamp.dayofyear")  # the library's own, while it is imported
def test_cmf(candles: Candles) -> None:
    import pandas_ta_classic as third

    columns = (pd.Series(getattr(candles, name)) for name in ("high", "low", "close", "volume"))
    same(indicators.cmf(candles)["cmf"], third.cmf(*columns, length=20).to_numpy(), warm_up=19)


def test_every_indicator_has_a_title_and_parameters(candles: Candles) -> None:
    assert set(compute(candles)) == set(PARAMETERS) == set(TITLES) == set(INDICATORS)


Change = Callable[[Candles], Candles]


@pytest.mark.parametrize("volume", [True, False])
def test_prices_that_do_not_move_have_no_oscillators(candles: Candles, volume: bool) -> None:
    """A formula that divides by zero gives no value: the library's 0 would be a shout of buy (RSI) or sell (%R)."""
    flat = np.full(100, 5.0)
    still = replace(candles, moments=candles.moments[:100], open=flat, high=flat, low=flat, close=flat)
    still = replace(still, volume=flat if volume else None)
    lines = compute(still)
    for key, name in (("rsi", "rsi"), ("stochastic", "k"), ("stochastic", "d"), ("cci", "cci"), ("adx", "adx")):
        assert np.isnan(lines[key][name]).all(), key  # type: ignore[index]
    assert np.isnan(lines["williams"]["williams"]).all()
    assert np.isnan(lines["cmf"]["cmf"]).all()


def test_too_few_rows_are_nan_and_no_error(candles: Candles) -> None:
    cut = {name: getattr(candles, name)[:5] for name in ("moments", "open", "high", "low", "close", "volume")}
    lines = compute(replace(candles, **cut))
    assert np.isnan(lines["ema"]["slow"]).all()
    assert all(len(values) == 5 for found in lines.values() for values in found.values())
