"""The twelve indicators, and the five ways of weighing them.

The weights are those of the service that people come from (docs/market.md): nobody has shown that any of them earns
money, and nothing here claims so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Indicator = Literal[
    "macd",
    "adx",
    "ema",
    "psar",
    "rsi",
    "stochastic",
    "cci",
    "williams",
    "bollinger",
    "atr",
    "obv",
    "cmf",
]
Category = Literal["trend", "momentum", "volatility", "volume"]
StrategyName = Literal["balanced", "trend", "mean_reversion", "momentum", "weekly"]

INDICATORS: tuple[Indicator, ...] = get_args(Indicator)
CATEGORIES: tuple[Category, ...] = get_args(Category)
_MEMBERS: dict[Category, tuple[Indicator, ...]] = {
    "trend": ("macd", "adx", "ema", "psar"),
    "momentum": ("rsi", "stochastic", "cci", "williams"),
    "volatility": ("bollinger", "atr"),
    "volume": ("obv", "cmf"),
}
CATEGORY_OF: dict[Indicator, Category] = {key: category for category, keys in _MEMBERS.items() for key in keys}


@dataclass(frozen=True)
class Strategy:
    """How much each indicator counts, and how a trade is sized."""

    name: StrategyName
    number: int
    """As the older service numbers it."""
    title: str
    indicator_weights: dict[Indicator, float]
    category_weights: dict[Category, float]
    stop_percent: float
    """Distance of the stop, in percent of the entry."""
    risk_reward_ratio: float | None
    """Distance of the target as a multiple of that of the stop; None where `target_percent` says it."""
    position_size_limit: float
    """The most that one position may cost, in percent of the capital."""
    target_percent: float | None = None
    stop_atr: float | None = None
    """The stop is at least so many average true ranges away, up to `stop_percent_limit`."""
    stop_percent_limit: float | None = None


def _weights(*values: float) -> dict[Indicator, float]:
    return dict(zip(INDICATORS, values, strict=True))


def _categories(*values: float) -> dict[Category, float]:
    return dict(zip(CATEGORIES, values, strict=True))


STRATEGIES: dict[StrategyName, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Strategy("balanced", 1, "Balanced", _weights(*[1] * 12), _categories(1, 1, 1, 1), 2, 2, 20),
        Strategy(
            "trend",
            2,
            "Trend following",
            _weights(2.5, 2.5, 2, 1.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 1, 1),
            _categories(1.5, 0.7, 0.8, 1),
            2.5,
            3,
            25,
        ),
        Strategy(
            "mean_reversion",
            3,
            "Mean reversion",
            _weights(0.5, 0.5, 0.5, 0.5, 2.5, 2, 1.5, 1.5, 2.5, 1, 1, 1),
            _categories(0.6, 1.5, 1.3, 1),
            1.5,
            1.5,
            15,
        ),
        Strategy(
            "momentum",
            4,
            "Momentum breakout",
            _weights(1.5, 1.5, 1, 1, 2, 1.5, 1.5, 1, 1.5, 2, 2.5, 2.5),
            _categories(1, 1.3, 1.2, 1.5),
            3,
            2.5,
            20,
        ),
        Strategy(
            "weekly",
            5,
            "Weekly, 4 % target",
            _weights(1.5, 0.5, 0.6, 1.2, 2, 2, 1.8, 1.6, 1.3, 0.8, 1.2, 1.2),
            _categories(0.5, 2, 1, 0.9),
            3,
            None,
            35,
            target_percent=4,
            stop_atr=1.5,
            stop_percent_limit=4,
        ),
    )
}
