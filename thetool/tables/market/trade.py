"""Entry, stop, target and size of a trade on the verdict: percentages of the last close and of the capital."""

from __future__ import annotations

import math

from thetool.tables.market.options import MarketOptions
from thetool.tables.market.report import StrategyUsed, Trade, Verdict
from thetool.tables.market.strategies import STRATEGIES

_LEAST_RATIO = 1.5


def trade_of(
    verdict: Verdict, close: float, atr: float | None, used: StrategyUsed, options: MarketOptions
) -> Trade | None:
    """What a trade would be; None on hold.

    The size is the smaller of what loses `risk_percent` of the capital at the stop, and of what costs
    `position_size_limit` percent of it.

    Args:
        verdict: which way.
        close: the last close, which is the entry.
        atr: the average true range there; None while there is none.
        used: the strategy with what was asked.
        options: capital, risk, whether parts of a unit can be had.
    """
    if verdict == "hold":
        return None
    long = "buy" in verdict
    risk, notes = _risk(close, atr, used, options)
    gain = risk * used.risk_reward_ratio if used.risk_reward_ratio else close * (used.target_percent or 0) / 100
    if not long and gain >= close:
        gain = close
        notes.append("The target would be below zero, and is zero.")
    by_risk = options.capital * options.risk_percent / 100 / risk
    by_size = options.capital * used.position_size_limit / 100 / close
    units = min(by_risk, by_size)
    if not options.fractional:
        units = math.floor(units + 1e-9)
    if units == 0:
        notes.append("One unit is more than the capital and the limits allow; none is bought.")
    if gain / risk < _LEAST_RATIO - 1e-9:
        notes.append(f"The gain aimed at is only {gain / risk:.2g} times the risk; many ask for {_LEAST_RATIO}.")
    if not long:
        notes.append("Who holds it would sell. A short sale needs it borrowed, and its loss has no bound.")
    return Trade(
        direction="long" if long else "short",
        entry=close,
        entry_method="last close",
        stop=close - risk if long else close + risk,
        target=close + gain if long else close - gain,
        risk_reward_ratio=gain / risk,
        units=units,
        position_value=units * close,
        money_at_risk=units * risk,
        limited_by="risk" if by_risk < by_size else "position size",
        notes=notes,
    )


def _risk(close: float, atr: float | None, used: StrategyUsed, options: MarketOptions) -> tuple[float, list[str]]:
    """Distance of the stop in money, and what is to be known about it."""
    strategy, percent = STRATEGIES[used.name], used.stop_percent
    if options.stop_percent is None and strategy.stop_atr and strategy.stop_percent_limit:
        if atr is None:
            return close * percent / 100, ["There is no average true range yet; the stop is the least distance."]
        percent = min(max(percent, strategy.stop_atr * atr / close * 100), strategy.stop_percent_limit)
    return close * percent / 100, []
