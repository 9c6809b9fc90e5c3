"""From twelve votes to one verdict, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from thetool.tables.market.options import MarketOptions
from thetool.tables.market.report import Check, IndicatorResult, Regime, StrategyUsed, Verdict
from thetool.tables.market.strategies import INDICATORS, STRATEGIES

STRONG, CLEAR = 0.6, 0.2
_SIGN = {"buy": 1, "hold": 0, "sell": -1}
_PENALTIES = {"trend strength": 0.15, "trend filter": 0.2, "momentum": 0.25}


def strategy_used(options: MarketOptions) -> StrategyUsed:
    """The strategy with what was asked in its place."""
    strategy = STRATEGIES[options.strategy]
    asked = options.indicators or INDICATORS
    ratio = options.risk_reward_ratio or strategy.risk_reward_ratio
    return StrategyUsed(
        name=strategy.name,
        title=strategy.title,
        indicator_weights={key: strategy.indicator_weights[key] for key in INDICATORS if key in asked},
        category_weights={**strategy.category_weights, **(options.category_weights or {})},
        stop_percent=options.stop_percent or strategy.stop_percent,
        risk_reward_ratio=ratio,
        target_percent=None if ratio else strategy.target_percent,
        position_size_limit=options.position_size_limit or strategy.position_size_limit,
    )


def score_of(results: Sequence[IndicatorResult]) -> float | None:
    """The mean of the votes by weight, -1 to 1; None where no weight is left."""
    total = sum(result.weight for result in results if result.vote)
    if total == 0:
        return None
    score = sum(_SIGN[result.vote] * result.weight for result in results if result.vote) / total
    return min(1.0, max(-1.0, score))


def verdict_of(score: float | None) -> Verdict:
    """In a word."""
    if score is None or -CLEAR < score < CLEAR:
        return "hold"
    if score > 0:
        return "strong buy" if score >= STRONG else "buy"
    return "strong sell" if score <= -STRONG else "sell"


def regime_of(adx: float | None) -> Regime | None:
    """How strong a trend there is, by ADX (the bounds 20 and 25 are the older service's)."""
    return None if adx is None else "choppy" if adx < 20 else "weak trend" if adx < 25 else "trending"


def reasons_of(verdict: Verdict, score: float | None, results: Sequence[IndicatorResult]) -> list[str]:
    """The verdict in plain words: what it comes from, then the votes, the weightiest first."""
    if score is None:
        return ["No indicator says anything, so it is a hold."]
    sides = {vote: [result for result in results if result.vote == vote] for vote in _SIGN}
    said = ", ".join(f"{len(found)} {vote}" for vote, found in sides.items() if found)
    first = f"The votes ({said}) weigh up to {score:+.2f} of -1 to 1: {verdict}."
    voted = sorted((r for r in results if r.vote != "hold" and r.weight), key=lambda result: -result.weight)
    return [first, *(f"{result.title} says {result.vote}. {result.reason}" for result in voted)]


def checks_of(values: Mapping[str, float | None], close: float, fast: float, slow: float) -> list[Check]:
    """What the weekly strategy asks of a buy: a trend, prices above their averages, momentum.

    Args:
        values: of all indicators at the last row.
        close: the last close.
        fast: the mean of the last 20 closes.
        slow: that of the last 50.
    """
    adx = values["adx"]
    detail = "ADX is unknown." if adx is None else f"ADX {adx:.1f} is 20 or more."
    checks = [_check("trend strength", None if adx is None else adx >= 20, detail)]
    passed = close > slow and fast > slow
    detail = f"Close {close:.6g} and the mean of 20 closes {fast:.6g} are above that of 50, {slow:.6g}."
    checks.append(_check("trend filter", passed, detail))
    return [*checks, _momentum(values)]


def confidence_of(checks: Sequence[Check]) -> float:
    """1, less .15, .2 and .25 for the checks that fail; what cannot be checked counts as failed."""
    return round(1 - sum(_PENALTIES[check.name] for check in checks if not check.passed), 2)


def _momentum(values: Mapping[str, float | None]) -> Check:
    over = None if values["k"] is None or values["d"] is None else values["k"] - values["d"]
    bounds = {
        "RSI from 50 to 75": (values["rsi"], 50.0, 75.0),
        "MACD above its signal": (values["histogram"], 0.0, math.inf),
        "%K above %D": (over, 0.0, math.inf),
        "CCI above 0": (values["cci"], 0.0, math.inf),
        "Williams %R above -50": (values["williams"], -50.0, math.inf),
    }
    held = [name for name, (value, low, high) in bounds.items() if value is not None and low < value <= high]
    detail = f"At least 3 of 5 hold: {', '.join(held) if held else 'none does'}."
    return _check("momentum", len(held) >= 3, detail)


def _check(name: str, passed: bool | None, detail: str) -> Check:
    return Check.model_validate({"name": name, "passed": passed, "detail": detail})
