"""Prices and indicators over time for a chart, in few enough points to be sent and drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from thetool.tables.market.report import Series
from thetool.tables.market.strategies import Indicator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from thetool.tables.market.candles import Candles

    Numbers = NDArray[np.float64]

MOST_POINTS = 2_000
ALL_POINTS = 20_000
"""Of all symbols together: about 2 MB of JSON."""
FEWEST_POINTS = 120
CLEAREST = 100
"""So many symbols are drawn where there are too many for all to be."""
_DIGITS = 7
_DRAWN: dict[str, tuple[Indicator, str]] = {
    "ema_fast": ("ema", "fast"),
    "ema_slow": ("ema", "slow"),
    "bollinger_upper": ("bollinger", "upper"),
    "bollinger_middle": ("bollinger", "middle"),
    "bollinger_lower": ("bollinger", "lower"),
    "psar": ("psar", "psar"),
    "rsi": ("rsi", "rsi"),
    "macd": ("macd", "macd"),
    "macd_signal": ("macd", "signal"),
    "macd_histogram": ("macd", "histogram"),
}


def points_each(symbols: int) -> int | None:
    """How many points each of so many symbols may have; None where they were too few to see anything."""
    points = min(MOST_POINTS, ALL_POINTS // max(1, symbols))
    return points if points >= FEWEST_POINTS else None


def series_of(candles: Candles, lines: Mapping[Indicator, Mapping[str, Numbers]], most: int) -> Series:
    """The whole time in at most so many points; rows that share one are joined as `Series.rows_per_point` says.

    Rows are joined from the end, so that the last point is whole; the first may be of fewer rows.
    """
    import numpy as np

    rows = len(candles)
    each = math.ceil(rows / most)
    lasts = np.arange(rows - 1, -1, -each)[::-1]
    firsts = np.concatenate(([0], lasts[:-1] + 1))
    points: dict[str, Any] = {
        "rows_per_point": each,
        "date": dates(candles.moments[lasts]),
        "open": _listed(candles.open[firsts]),
        "high": _listed(np.maximum.reduceat(candles.high, firsts)),
        "low": _listed(np.minimum.reduceat(candles.low, firsts)),
        "close": _listed(candles.close[lasts]),
        "volume": None if candles.volume is None else _listed(np.add.reduceat(candles.volume, firsts)),
        **{name: _listed(lines[of][line][lasts]) for name, (of, line) in _DRAWN.items()},
    }
    return Series.model_construct(**points)


def dates(moments: NDArray[np.datetime64]) -> list[str]:
    """As ISO 8601, without the time where all are at midnight."""
    import numpy as np

    whole = bool((moments == moments.astype("datetime64[D]")).all())
    unit: Literal["D", "m", "ms"] = (
        "D" if whole else "m" if bool((moments == moments.astype("datetime64[m]")).all()) else "ms"
    )
    return [str(moment) for moment in np.datetime_as_string(moments, unit=unit).tolist()]


def _listed(line: Numbers) -> list[float | None]:
    """To seven digits, which is more than a screen can show; NaN as null."""
    import numpy as np

    size = np.abs(line)
    with np.errstate(divide="ignore", invalid="ignore"):
        places = np.where(size > 0, _DIGITS - 1 - np.floor(np.log10(size)), 0)
    scale = 10.0 ** np.clip(np.nan_to_num(places), -300, 300)
    rounded = np.rint(line * scale) / scale
    return [None if value != value else value for value in rounded.tolist()]
