"""Tables of prices for the tests: random walks that are the same in every run."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl


def prices(
    rows: int = 300, *, seed: int = 1, drift: float = 0.0, noise: float = 0.015, start: float = 100
) -> pl.DataFrame:
    """Daily candles of working days, oldest first."""
    chance = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(chance.normal(drift, noise, rows)))
    opened = np.concatenate(([start], close[:-1])) * np.exp(chance.normal(0, noise / 3, rows))
    spread = np.abs(chance.normal(0, noise / 2, (2, rows)))
    days, day = [], date(2020, 1, 1)
    while len(days) < rows:
        day += timedelta(days=1)
        if day.weekday() < 5:
            days.append(day)
    return pl.DataFrame(
        {
            "_row": range(1, rows + 1),
            "Date": days,
            "Open": opened,
            "High": np.maximum(opened, close) * (1 + spread[0]),
            "Low": np.minimum(opened, close) * (1 - spread[1]),
            "Close": close,
            "Volume": chance.integers(1_000, 100_000, rows),
        }
    )
