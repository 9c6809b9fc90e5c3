"""What each indicator votes, and how clearly: the table of docs/market.md."""

from __future__ import annotations

import pytest

from thetool.tables.market.indicators import PARAMETERS
from thetool.tables.market.strategies import INDICATORS, Indicator
from thetool.tables.market.votes import opinion


@pytest.mark.parametrize(
    ("indicator", "values", "vote", "confidence"),
    [
        ("rsi", {"rsi": 24}, 1, 0.2),
        ("rsi", {"rsi": 50}, 0, 0),
        ("rsi", {"rsi": 85}, -1, 0.5),
        ("stochastic", {"k": 15, "d": 50}, 1, 0.25),
        ("stochastic", {"k": 100, "d": 50}, -1, 1),
        ("cci", {"cci": -150}, 1, 0.5),
        ("cci", {"cci": 350}, -1, 1),
        ("williams", {"williams": -90}, 1, 0.5),
        ("williams", {"williams": -10}, -1, 0.5),
        ("macd", {"macd": 2, "signal": 1, "histogram": 1}, 1, 0.5),
        ("macd", {"macd": 1, "signal": 6, "histogram": -5}, -1, 1),
        ("macd", {"macd": 1, "signal": 1, "histogram": 0}, 0, 0),
        ("adx", {"adx": 40, "plus_di": 30, "minus_di": 10}, 1, 0.8),
        ("adx", {"adx": 15, "plus_di": 10, "minus_di": 30}, -1, 0.3),
        ("ema", {"fast": 105, "slow": 100}, 1, 0.5),
        ("ema", {"fast": 80, "slow": 100}, -1, 1),
        ("psar", {"psar": 99}, 1, 0.4),
        ("psar", {"psar": 110}, -1, 1),
        ("bollinger", {"upper": 115, "middle": 110, "lower": 105}, 1, 0.5),
        ("bollinger", {"upper": 98, "middle": 93, "lower": 88}, -1, 0.2),
        ("bollinger", {"upper": 105, "middle": 100, "lower": 95}, 0, 0),
        ("bollinger", {"upper": 100, "middle": 100, "lower": 100}, 0, 0),
        ("atr", {"atr": 2}, 0, 0.4),
        ("atr", {"atr": 20}, 0, 1),
        ("obv", {"obv": 5, "change": 0.4, "price_change": 0.1}, 1, 0.7),
        ("obv", {"obv": 5, "change": -0.4, "price_change": -0.1}, -1, 0.7),
        ("obv", {"obv": 5, "change": 0.5, "price_change": -0.1}, 0, 0.5),
        ("obv", {"obv": 5, "change": 0, "price_change": 0.1}, 0, 0.5),
        ("cmf", {"cmf": 0.15}, 1, 0.75),
        ("cmf", {"cmf": -0.5}, -1, 1),
        ("cmf", {"cmf": 0.04}, 0, 0),
    ],
)
def test_votes(indicator: Indicator, values: dict[str, float], vote: int, confidence: float) -> None:
    found = opinion(indicator, values, 100, PARAMETERS[indicator])
    assert found.vote == vote
    assert found.confidence == pytest.approx(confidence)
    assert found.reason.endswith(".")


@pytest.mark.parametrize("indicator", INDICATORS)
def test_without_a_value_nothing_is_voted(indicator: Indicator) -> None:
    found = opinion(indicator, {"value": None}, 100, PARAMETERS[indicator])
    assert (found.vote, found.confidence) == (None, 0)
    assert "needs" in found.reason or "not defined" in found.reason


def test_a_stronger_trend_is_never_less_clear() -> None:
    """The older formula fell from .62 to .5 where ADX passed 25, and rose by a leap at 20."""
    found = [
        opinion("adx", {"adx": adx / 10, "plus_di": 30, "minus_di": 10}, 100, PARAMETERS["adx"]).confidence
        for adx in range(1000)
    ]
    assert found == sorted(found)
