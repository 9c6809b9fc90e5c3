"""What each indicator votes at the last row, how clearly, and why. docs/market.md has the formulas in one table.

Confidence is 0 at the edge where a vote begins, and 1 where the distance from it is as large as the formula's bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from thetool.tables.market.strategies import Indicator


class Opinion(NamedTuple):
    """A vote (1 buy, 0 hold, -1 sell; None: no value to judge by), how clear it is (0 to 1), and why."""

    vote: int | None
    confidence: float
    reason: str


Values = Mapping[str, float | None]


def opinion(indicator: Indicator, values: Values, close: float, parameters: Mapping[str, float]) -> Opinion:
    """What an indicator says.

    Args:
        indicator: which.
        values: its values at the last row.
        close: the close of that row.
        parameters: what it was computed with, for the words.
    """
    known = {name: value for name, value in values.items() if value is not None}
    if len(known) < len(values):
        return Opinion(None, 0, _absent(indicator, parameters))
    return _OPINIONS[indicator](known, close, parameters)


def _absent(indicator: Indicator, parameters: Mapping[str, float]) -> str:
    if indicator in ("obv", "cmf"):
        return "It needs volumes, and more rows with trade than there are."
    if indicator == "ema":
        return f"It needs {parameters['slow']:g} rows."
    return "It is not defined here: too few rows, or prices that do not move."


def _confidence(part: float) -> float:
    return min(1.0, max(0.0, part))


def _outside(value: float, low: float, high: float, span: float, name: str) -> Opinion:
    """An oscillator: beyond its usual range it is expected to come back."""
    if value < low:
        return Opinion(1, _confidence((low - value) / span), f"{name} {value:.1f} is under {low:g}: sold heavily.")
    if value > high:
        return Opinion(-1, _confidence((value - high) / span), f"{name} {value:.1f} is over {high:g}: bought heavily.")
    return Opinion(0, 0, f"{name} {value:.1f} lies between {low:g} and {high:g}: nothing unusual.")


Known = Mapping[str, float]
Parameters = Mapping[str, float]


def _rsi(values: Known, close: float, parameters: Parameters) -> Opinion:
    return _outside(values["rsi"], 30, 70, 30, "RSI")


def _stochastic(values: Known, close: float, parameters: Parameters) -> Opinion:
    return _outside(values["k"], 20, 80, 20, "%K")


def _cci(values: Known, close: float, parameters: Parameters) -> Opinion:
    return _outside(values["cci"], -100, 100, 100, "CCI")


def _williams(values: Known, close: float, parameters: Parameters) -> Opinion:
    return _outside(values["williams"], -80, -20, 20, "Williams %R")


def _side(difference: float) -> int:
    return (difference > 0) - (difference < 0)


def _macd(values: Known, close: float, parameters: Parameters) -> Opinion:
    histogram = values["histogram"]
    side = _side(histogram)
    word = {1: "above", 0: "at", -1: "below"}[side]
    return Opinion(side, _confidence(abs(histogram) / (0.02 * close)), f"MACD is {word} its signal line.")


def _adx(values: Known, close: float, parameters: Parameters) -> Opinion:
    plus, minus, strength = values["plus_di"], values["minus_di"], values["adx"]
    side = _side(plus - minus)
    word = {1: "up", 0: "nowhere", -1: "down"}[side]
    strong = "a trend" if strength >= 25 else "a weak trend" if strength >= 20 else "hardly a trend"
    return Opinion(
        side, _confidence(strength / 50), f"Direction is {word} (+DI {plus:.0f}, -DI {minus:.0f}), {strong}."
    )


def _ema(values: Known, close: float, parameters: Parameters) -> Opinion:
    apart = values["fast"] / values["slow"] - 1
    side = _side(apart)
    word = {1: "above", 0: "at", -1: "below"}[side]
    reason = f"The average of {parameters['fast']:g} rows is {abs(apart):.1%} {word} that of {parameters['slow']:g}."
    return Opinion(side, _confidence(abs(apart) * 10), reason)


def _psar(values: Known, close: float, parameters: Parameters) -> Opinion:
    gap = close - values["psar"]
    side = _side(gap)
    word = {1: "above", 0: "at", -1: "below"}[side]
    return Opinion(side, _confidence(abs(gap) / (0.03 * close) * 1.2), f"The close is {word} the parabolic stop.")


def _bollinger(values: Known, close: float, parameters: Parameters) -> Opinion:
    upper, lower = values["upper"], values["lower"]
    width = upper - lower
    if width <= 1e-9 * close or lower <= close <= upper:
        return Opinion(0, 0, "The close lies within the bands.")
    if close < lower:
        return Opinion(1, _confidence((lower - close) / width), "The close is under the lower band: far down.")
    return Opinion(-1, _confidence((close - upper) / width), "The close is over the upper band: far up.")


def _atr(values: Known, close: float, parameters: Parameters) -> Opinion:
    part = values["atr"] / close
    return Opinion(
        0, _confidence(part / 0.05), f"A row spans {part:.1%} of the price; the wilder, the less votes count."
    )


def _obv(values: Known, close: float, parameters: Parameters) -> Opinion:
    volume, price = _side(values["change"]), _side(values["price_change"])
    size, window = _confidence(abs(values["change"])), f"{parameters['window']:g} rows"
    if volume == 0 or price == 0:
        return Opinion(0, 0.5, f"Over {window} price or volume went nowhere.")
    if volume == price:
        word = "up" if price > 0 else "down"
        return Opinion(price, 0.5 + 0.5 * size, f"Over {window} price and volume went {word} together.")
    return Opinion(0, 0.3 + 0.4 * size, f"Over {window} volume went against the price: no clear move.")


def _cmf(values: Known, close: float, parameters: Parameters) -> Opinion:
    flow = values["cmf"]
    if abs(flow) < 0.05:
        return Opinion(0, 0, f"Money flow {flow:+.2f} is near zero.")
    word = "in" if flow > 0 else "out"
    return Opinion(_side(flow), 0.5 + 0.5 * _confidence((abs(flow) - 0.05) / 0.2), f"Money flows {word} ({flow:+.2f}).")


_OPINIONS: dict[Indicator, Callable[[Known, float, Parameters], Opinion]] = {
    "macd": _macd,
    "adx": _adx,
    "ema": _ema,
    "psar": _psar,
    "rsi": _rsi,
    "stochastic": _stochastic,
    "cci": _cci,
    "williams": _williams,
    "bollinger": _bollinger,
    "atr": _atr,
    "obv": _obv,
    "cmf": _cmf,
}
