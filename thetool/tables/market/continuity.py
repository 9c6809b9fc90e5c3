"""Whether prices run on from row to row: adjusted closes, splits, gaps, jumps, and how far apart the rows are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetool.tables.market.candles import Candles
from thetool.tables.market.report import MarketNote

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_RATIOS = (1.5, 2, 3, 4, 5, 8, 10, 15, 20, 25, 30, 40, 50, 100)
_NEAR = 0.03
"""The open after a split may miss the ratio by so much; a price moves overnight too."""
_SPLIT_FACTOR = 1.2
"""A step of the adjusted close's factor beyond this is a split, below it a dividend."""
_JUMP = 0.5
_MOST_FACTOR = 1e6
_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0


def continuous(candles: Candles, adjust_splits: bool) -> Candles:
    """The candles with what can be put right, and with notes on what cannot.

    An adjusted close scales the other prices of its row too, so that the last row stays as it was traded; the
    volume is divided by the factors of splits only.
    """
    candles = _adjusted(candles)
    candles = _splits(candles, adjust_splits)
    notes = [note for note in (_gaps(candles), _jumps(candles), _without_trade(candles)) if note]
    return candles.with_notes(*notes)


def interval_of(candles: Candles) -> str:
    """The usual time from row to row, in words."""
    seconds = _step(candles)
    days = seconds / _DAY
    if days >= 0.9:
        for low, high, word in ((0.9, 4, "1 day"), (6, 8, "1 week"), (27, 32, "1 month"), (85, 95, "3 months")):
            if low <= days <= high:
                return word
        return f"{days:.0f} days"
    for size, word in ((_HOUR, "hour"), (_MINUTE, "minute"), (1.0, "second")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {word}" if count == 1 else f"{count} {word}s"
    return "under a second"


def _step(candles: Candles) -> float:
    import numpy as np

    return float(np.median(np.diff(candles.moments).astype("timedelta64[ms]").astype(np.float64))) / 1000


def _scaled(candles: Candles, factor: Numbers, split: Numbers) -> Candles:
    volume = None if candles.volume is None else candles.volume / split
    return candles.with_notes(
        open=candles.open * factor,
        high=candles.high * factor,
        low=candles.low * factor,
        close=candles.close * factor,
        volume=volume,
    )


def _adjusted(candles: Candles) -> Candles:
    import numpy as np

    adjusted = candles.adjusted
    if adjusted is None:
        return candles
    factor = adjusted / candles.close
    missing = int((~((factor > 1 / _MOST_FACTOR) & (factor < _MOST_FACTOR))).sum())
    if missing:
        message = f"In {missing:,} rows the adjusted close is missing or none: it is not used, and splits are jumps."
        return candles.with_notes(MarketNote(code="not_adjusted", message=message, rows=missing))
    factor = factor / factor[-1]
    changed = int((np.abs(factor - 1) > 1e-6).sum())
    if not changed:
        return candles
    steps = factor[:-1] / factor[1:]
    steps = np.where(np.abs(np.log(steps)) > np.log(_SPLIT_FACTOR), steps, 1.0)
    message = f"{changed:,} rows were scaled by their adjusted close; the last row is as it was traded."
    note = MarketNote(code="adjusted", message=message, rows=changed)
    return _scaled(candles, factor, _before(steps)).with_notes(note)


def _before(steps: Numbers) -> Numbers:
    """From the ratio of each step the factor of each row: what all later steps make together."""
    import numpy as np

    return np.append(np.cumprod(steps[::-1])[::-1], 1.0)


def _splits(candles: Candles, adjust: bool) -> Candles:
    """Overnight jumps of open and close alike by a usual ratio."""
    import numpy as np

    opening = np.log(candles.open[1:] / candles.close[:-1])
    closing = np.log(candles.close[1:] / candles.close[:-1])
    steps = np.ones(len(opening))
    for ratio in _RATIOS:
        for by in (1 / ratio, ratio):
            near = (np.abs(opening - np.log(by)) < _NEAR) & (np.abs(closing - np.log(by)) < 3 * _NEAR)
            steps = np.where(near, by, steps)
    found = np.flatnonzero(steps != 1)
    if not len(found):
        return candles
    last = found[-1]
    said = f"1:{1 / steps[last]:g}" if steps[last] < 1 else f"{steps[last]:g}:1"
    message = (
        f"{_times(len(found))} the price steps as a split does, last on {_day(candles, last + 1)} (about {said}). "
    )
    if not adjust:
        message += "Prices before were left alone, so indicators take it for a move; adjust_splits divides them."
        return candles.with_notes(MarketNote(code="split", message=message, rows=len(found)))
    factor = _before(steps)
    note = MarketNote(code="split_adjusted", message=message + "Earlier prices were divided.", rows=len(found))
    return _scaled(candles, factor, factor).with_notes(note)


def _gaps(candles: Candles) -> MarketNote | None:
    import numpy as np

    step = _step(candles)
    seconds = np.diff(candles.moments).astype("timedelta64[ms]").astype(np.float64) / 1000
    longest = max(7 * _DAY, 3.2 * step)
    found = np.flatnonzero(seconds > longest)
    if not len(found):
        return None
    worst = found[np.argmax(seconds[found])]
    message = (
        f"{_times(len(found))} rows are missing for more than {longest / _DAY:.0f} days; the longest gap is from "
        f"{_day(candles, worst)} to {_day(candles, worst + 1)}. Indicators count rows, not days."
    )
    return MarketNote(code="gaps", message=message, rows=len(found))


def _jumps(candles: Candles) -> MarketNote | None:
    import numpy as np

    moves = np.abs(candles.close[1:] / candles.close[:-1] - 1)
    found = np.flatnonzero(moves > _JUMP)
    if not len(found):
        return None
    worst = found[np.argmax(moves[found])]
    message = (
        f"{_times(len(found))} the close moves by more than 50 % from one row to the next, most on "
        f"{_day(candles, worst + 1)} ({candles.close[worst]:.6g} to {candles.close[worst + 1]:.6g}): a wrong price?"
    )
    return MarketNote(code="jumps", message=message, rows=len(found))


def _without_trade(candles: Candles) -> MarketNote | None:
    if candles.volume is None:
        return None
    still = int((candles.volume == 0).sum())
    if still <= 0.05 * len(candles):
        return None
    message = f"{still:,} rows have a volume of zero: prices that nobody may have traded at."
    return MarketNote(code="zero_volume", message=message, rows=still)


def _times(count: int) -> str:
    return "Once" if count == 1 else f"{count:,} times"


def _day(candles: Candles, at: int) -> str:
    return str(candles.moments[at].astype("datetime64[D]"))
