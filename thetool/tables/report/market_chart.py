"""The last prices of a symbol as one SVG, as the page draws it: candles, averages, bands, volume, RSI, MACD."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from thetool.tables.market.report import Series, SymbolResult
from thetool.tables.report.wording import number

MOST_POINTS = 250
"""So many candles can be told apart over the width; the latest are drawn."""

_WIDTH, _PLOT, _GAP, _FOOT, _HEAD = 960, 896, 16, 24, 20
_PRICES, _BELOW = 280, 80
_MOST_DATES = 10
Line = Sequence[float | None]
Scale = Callable[[float], float]


def market_chart(result: SymbolResult) -> Markup:
    """The chart of a symbol that has a series.

    The colours are the style sheet's (`.market …`), so that light, dark and paper each have theirs.

    Args:
        result: of one symbol; its series must not be None.
    """
    if result.series is None:
        raise ValueError("there is no series to draw")
    series = _latest(result.series)
    at = _Place(series, _PLOT / len(series.close))
    parts, top = [_prices(at)], _PRICES
    if series.volume is not None:
        parts.append(_volumes(at, top + _GAP, series.volume))
        top += _GAP + _BELOW
    parts.append(_strength(at, top + _GAP))
    top += _GAP + _BELOW
    parts.append(_macd(at, top + _GAP))
    top += _GAP + _BELOW
    label = (
        f"Candles from {series.date[0]} to {series.date[-1]}, lowest {number(min(series.low))}, highest "
        f"{number(max(series.high))}, last close {number(series.close[-1])}, with averages, bands, volume, RSI and MACD"
    )
    return Markup('<svg class="market" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        _WIDTH, top + _FOOT, label, _dates(at, top), Markup().join(parts)
    )


def _latest(series: Series) -> Series:
    cut: dict[str, Any] = {
        name: value[-MOST_POINTS:] if isinstance(value, list) else value
        for name in Series.model_fields
        for value in [getattr(series, name)]
    }
    return Series.model_construct(**cut)


@dataclass(frozen=True)
class _Place:
    series: Series
    step: float

    def x(self, place: float) -> float:
        return (place + 0.5) * self.step

    @property
    def half(self) -> float:
        """Half of the width of a bar."""
        return min(6.0, self.step * 0.35)


def _scale(low: float, high: float, bottom: float, top: float) -> Scale:
    spread = (high - low) or 1
    return lambda value: bottom - (value - low) / spread * (bottom - top)


def _path(look: str, d: str) -> Markup:
    return Markup('<path class="{}" d="{}"/>').format(look, d)


def _text(look: str, x: float, y: float, words: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(look, x, y, words)


def _line(at: _Place, look: str, values: Line, y: Scale) -> Markup:
    """A line through the values; broken where there is none."""
    parts, down = [], False
    for place, value in enumerate(values):
        if value is not None:
            parts.append(f"{'L' if down else 'M'}{at.x(place):.1f} {y(value):.1f}")
        down = value is not None
    return _path(f"line {look}", "".join(parts))


def _rule(y: float, words: str, look: str = "grid") -> Markup:
    return _path(look, f"M0 {y:.1f}H{_PLOT}") + _text("tick", _PLOT + 8, y + 4, words)


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Round values between low and high, not many more than asked."""
    rough = ((high - low) or abs(high) or 1) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= rough * 0.999)
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _dates(at: _Place, bottom: float) -> Markup:
    """Where a month begins (or a year, or every so many points), with a rule through all panels."""
    dates = at.series.date
    for length in (7, 4):
        found = [place for place in range(1, len(dates)) if dates[place][:length] != dates[place - 1][:length]]
        if 2 <= len(found) <= _MOST_DATES + 4:
            break
    else:
        length, found = 16, list(range(len(dates) // 10, len(dates), max(1, len(dates) // 5)))
    drawn = [
        _path("grid", f"M{at.x(place):.1f} 0V{bottom}")
        + _text("tick middle", at.x(place), bottom + 16, dates[place][:length].replace("T", " "))
        for place in found
    ]
    return Markup().join(drawn)


def _prices(at: _Place) -> Markup:
    series = at.series
    lines = (series.low, series.high, series.ema_fast, series.ema_slow, series.bollinger_upper, series.bollinger_lower)
    known = [value for line in lines for value in line if value is not None]
    low, high = min(known), max(known)
    y = _scale(low, high, _PRICES - 8, 8)
    parts = [_rule(y(value), number(value)) for value in _ticks(low, high, 6)]
    for name in ("upper", "middle", "lower"):
        parts.append(_line(at, f"bollinger {name}", getattr(series, f"bollinger_{name}"), y))
    paths = {"up": "", "down": ""}
    for place, (opened, top, bottom, close) in enumerate(
        zip(series.open, series.high, series.low, series.close, strict=True)
    ):
        upper, lower = y(max(opened, close)), y(min(opened, close))
        middle, wide = at.x(place), 2 * at.half
        paths["up" if close >= opened else "down"] += (
            f"M{middle:.1f} {y(top):.1f}V{upper:.1f}M{middle:.1f} {lower:.1f}V{y(bottom):.1f}"
            f"M{middle - at.half:.1f} {upper:.1f}h{wide:.1f}v{max(0.5, lower - upper):.1f}h{-wide:.1f}z"
        )
    parts += [_path(f"candle {way}", d) for way, d in paths.items()]
    parts += [_line(at, "slow", series.ema_slow, y), _line(at, "fast", series.ema_fast, y)]
    return Markup().join(parts)


def _bars(at: _Place, values: Line, rising: Sequence[bool], y: Scale) -> Markup:
    paths = {"up": "", "down": ""}
    for place, value in enumerate(values):
        if value is not None:
            left, wide = at.x(place) - at.half, 2 * at.half
            way = "up" if rising[place] else "down"
            paths[way] += f"M{left:.1f} {y(0):.1f}V{y(value):.1f}h{wide:.1f}V{y(0):.1f}z"
    return Markup().join(_path(f"bar {way}", d) for way, d in paths.items())


def _volumes(at: _Place, top: float, volume: Sequence[float]) -> Markup:
    most = max(volume)
    y = _scale(0, most, top + _BELOW, top + _HEAD)
    rising = [close >= opened for opened, close in zip(at.series.open, at.series.close, strict=True)]
    rules = _rule(y(0), "0") + (_rule(y(most), number(most)) if most else Markup())
    return rules + _text("title", 0, top + 12, "Volume") + _bars(at, volume, rising, y)


def _strength(at: _Place, top: float) -> Markup:
    known = [value for value in at.series.rsi if value is not None]
    y = _scale(min([20, *known]), max([80, *known]), top + _BELOW, top + _HEAD)
    rules = _rule(y(70), "70", "bound") + _rule(y(30), "30", "bound")
    return rules + _text("title", 0, top + 12, "RSI") + _line(at, "rsi", at.series.rsi, y)


def _macd(at: _Place, top: float) -> Markup:
    series = at.series
    lines = (series.macd, series.macd_signal, series.macd_histogram)
    most = max([abs(value) for line in lines for value in line if value is not None], default=0) or 1
    y = _scale(-most, most, top + _BELOW, top + _HEAD)
    rising = [(value or 0) >= 0 for value in series.macd_histogram]
    return Markup().join(
        (
            _rule(y(0), "0", "bound"),
            _text("title", 0, top + 12, "MACD"),
            _bars(at, series.macd_histogram, rising, y),
            _line(at, "signal", series.macd_signal, y),
            _line(at, "macd", series.macd, y),
        )
    )
