"""The twelve indicators over all rows, computed by TA-Lib. NaN is where one needs more rows, or is not defined.

TA-Lib answers 0 where a formula divides by zero (no move at all, no trade at all), which reads as a strong signal: here
it is NaN. What each is computed with stands in `PARAMETERS`, is used from there and told with each result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetool.tables.market.strategies import Indicator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from thetool.tables.market.candles import Candles

    Numbers = NDArray[np.float64]
    Lines = dict[str, Numbers]

PARAMETERS: dict[Indicator, dict[str, float]] = {
    "macd": {"fast": 12, "slow": 26, "signal": 9},
    "adx": {"period": 14},
    "ema": {"fast": 50, "slow": 200},
    "psar": {"acceleration": 0.02, "maximum": 0.2},
    "rsi": {"period": 14},
    "stochastic": {"period": 14, "smoothing": 3, "signal": 3},
    "cci": {"period": 20},
    "williams": {"period": 14},
    "bollinger": {"period": 20, "deviations": 2},
    "atr": {"period": 14},
    "obv": {"window": 20},
    "cmf": {"period": 20},
}

TITLES: dict[Indicator, str] = {
    "macd": "Moving average convergence/divergence",
    "adx": "Average directional index",
    "ema": "Exponential moving averages",
    "psar": "Parabolic stop and reverse",
    "rsi": "Relative strength index",
    "stochastic": "Stochastic oscillator",
    "cci": "Commodity channel index",
    "williams": "Williams %R",
    "bollinger": "Bollinger bands",
    "atr": "Average true range",
    "obv": "On-balance volume",
    "cmf": "Chaikin money flow",
}


def compute(candles: Candles) -> dict[Indicator, Lines]:
    """All lines of all indicators, each as long as the candles. Without volume, OBV and CMF are NaN."""
    return {
        "macd": macd(candles.close),
        "adx": adx(candles),
        "ema": ema(candles.close),
        "psar": psar(candles),
        "rsi": rsi(candles.close),
        "stochastic": stochastic(candles),
        "cci": cci(candles),
        "williams": williams(candles),
        "bollinger": bollinger(candles.close),
        "atr": atr(candles),
        "obv": obv(candles),
        "cmf": cmf(candles),
    }


def _of(indicator: Indicator, name: str = "period") -> int:
    return int(PARAMETERS[indicator][name])


def macd(close: Numbers) -> Lines:
    """EMA of 12 less EMA of 26, its EMA of 9, and the difference (Appel 2005, Technical Analysis, ch. 8)."""
    import talib

    line = talib.EMA(close, _of("macd", "fast")) - talib.EMA(close, _of("macd", "slow"))
    signal = talib.EMA(line, _of("macd", "signal"))
    return {"macd": line, "signal": signal, "histogram": line - signal}


def adx(candles: Candles) -> Lines:
    """Strength of a trend, 0 to 100, and of both directions (Wilder 1978, New Concepts, section 4)."""
    import talib

    prices, period = (candles.high, candles.low, candles.close), _of("adx")
    lines = {
        "adx": talib.ADX(*prices, period),
        "plus_di": talib.PLUS_DI(*prices, period),
        "minus_di": talib.MINUS_DI(*prices, period),
    }
    still = (lines["plus_di"] == 0) & (lines["minus_di"] == 0)
    return {name: _without(line, still) for name, line in lines.items()}


def ema(close: Numbers) -> Lines:
    """Exponential moving averages, weight 2 / (n + 1), begun with the mean of the first n closes."""
    import talib

    return {"fast": talib.EMA(close, _of("ema", "fast")), "slow": talib.EMA(close, _of("ema", "slow"))}


def psar(candles: Candles) -> Lines:
    """A stop that follows the trend, faster the longer it lasts (Wilder 1978, New Concepts, section 2)."""
    import talib

    acceleration, maximum = PARAMETERS["psar"].values()
    return {"psar": talib.SAR(candles.high, candles.low, acceleration, maximum)}


def rsi(close: Numbers) -> Lines:
    """100 - 100 / (1 + mean gain / mean loss), means smoothed as Wilder does (1978, New Concepts, section 6)."""
    import numpy as np
    import talib

    still = np.append(0.0, np.cumsum(np.abs(np.diff(close)))) == 0
    return {"rsi": _without(talib.RSI(close, _of("rsi")), still)}


def stochastic(candles: Candles) -> Lines:
    """Where the close lies between the lowest low and the highest high of 14 rows, 0 to 100, smoothed over 3 rows (%K),
    and that once more (%D): Lane's slow stochastic (Technical Analysis of Stocks & Commodities 2:3, 1984).
    """
    import talib

    period, smoothing, signal = map(int, PARAMETERS["stochastic"].values())
    k, d = talib.STOCH(
        candles.high, candles.low, candles.close, fastk_period=period, slowk_period=smoothing, slowd_period=signal
    )
    still = _spread(candles, period) == 0
    return {"k": _without(k, _any(still, smoothing)), "d": _without(d, _any(still, smoothing + signal - 1))}


def cci(candles: Candles) -> Lines:
    """The typical price's distance from its mean, in mean deviations × .015 (Lambert, Commodities, October 1980)."""
    import talib

    typical = (candles.high + candles.low + candles.close) / 3
    still = talib.MAX(typical, _of("cci")) == talib.MIN(typical, _of("cci"))
    return {"cci": _without(talib.CCI(candles.high, candles.low, candles.close, _of("cci")), still)}


def williams(candles: Candles) -> Lines:
    """Where the close lies below the highest high, 0 to -100 (Williams 1973, How I Made One Million Dollars)."""
    import talib

    line = talib.WILLR(candles.high, candles.low, candles.close, _of("williams"))
    return {"williams": _without(line, _spread(candles, _of("williams")) == 0)}


def bollinger(close: Numbers) -> Lines:
    """Mean of 20 closes, and two standard deviations (of the population) around it (Bollinger 2001)."""
    import talib

    period, deviations = PARAMETERS["bollinger"].values()
    upper, middle, lower = talib.BBANDS(close, int(period), deviations, deviations)
    return {"upper": upper, "middle": middle, "lower": lower}


def atr(candles: Candles) -> Lines:
    """Mean true range (with the gap from the close before), smoothed as Wilder does (1978, New Concepts, section 3)."""
    import talib

    return {"atr": talib.ATR(candles.high, candles.low, candles.close, _of("atr"))}


def obv(candles: Candles) -> Lines:
    """Volumes of rows that close higher, less those of rows that close lower (Granville 1963).

    `change` is what it rose by in 20 rows, divided by all volume in them: -1 to 1. `price_change` is that of the close.
    """
    import numpy as np
    import talib

    if candles.volume is None:
        return dict.fromkeys(("obv", "change", "price_change"), _nothing(candles))
    window = _of("obv", "window")
    line = talib.OBV(candles.close, candles.volume)
    traded = talib.SUM(candles.volume, window)
    change, price_change = _nothing(candles), _nothing(candles)
    if len(candles) > window:
        with np.errstate(divide="ignore", invalid="ignore"):
            change[window:] = (line[window:] - line[:-window]) / traded[window:]
        price_change[window:] = candles.close[window:] / candles.close[:-window] - 1
    return {"obv": line, "change": _without(change, ~np.isfinite(change)), "price_change": price_change}


def cmf(candles: Candles) -> Lines:
    """Volume times where the close lies from low (-1) to high (1), over 20 rows, divided by their volume (Chaikin)."""
    import talib

    if candles.volume is None:
        return {"cmf": _nothing(candles)}
    line = talib.CMF(candles.high, candles.low, candles.close, candles.volume, _of("cmf"))
    moved = talib.SUM(candles.volume * (candles.high > candles.low), _of("cmf"))
    return {"cmf": _without(line, moved == 0)}


def _nothing(candles: Candles) -> Numbers:
    import numpy as np

    return np.full(len(candles), np.nan)


def _without(line: Numbers, where: NDArray[np.bool_]) -> Numbers:
    import numpy as np

    return np.where(where, np.nan, line)


def _spread(candles: Candles, period: int) -> Numbers:
    import talib

    return talib.MAX(candles.high, period) - talib.MIN(candles.low, period)


def _any(flags: NDArray[np.bool_], rows: int) -> NDArray[np.bool_]:
    """Whether one of the last so many is set."""
    import numpy as np

    seen = np.convolve(flags, np.ones(rows), "full")[: len(flags)]
    return seen > 0
