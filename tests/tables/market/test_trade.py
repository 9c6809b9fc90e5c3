"""Entry, stop, target, size: by hand."""

from __future__ import annotations

import pytest

from thetool.tables.market.options import MarketOptions
from thetool.tables.market.report import Trade, Verdict
from thetool.tables.market.trade import trade_of
from thetool.tables.market.verdict import strategy_used


def trade(verdict: Verdict = "buy", close: float = 50, atr: float | None = 1, **options: object) -> Trade:
    asked = MarketOptions.model_validate(options)
    found = trade_of(verdict, close, atr, strategy_used(asked), asked)
    assert found is not None
    return found


def test_a_buy_of_the_balanced_strategy() -> None:
    """2 % of 100,000 may be lost, 1 a unit: 2,000 units. 20 % may be spent: 400."""
    found = trade()
    assert (found.direction, found.entry, found.entry_method) == ("long", 50, "last close")
    assert (found.stop, found.target, found.risk_reward_ratio) == (49, 52, 2)
    assert (found.units, found.position_value, found.money_at_risk) == (400, 20_000, 400)
    assert found.limited_by == "position size"


def test_limited_by_the_risk() -> None:
    found = trade(risk_percent=0.1)
    assert (found.units, found.money_at_risk, found.limited_by) == (100, 100, "risk")


def test_what_is_asked_goes_before_the_strategy() -> None:
    found = trade(strategy="trend", capital=1_000, stop_percent=10, risk_reward_ratio=1.2, position_size_limit=50)
    assert (found.stop, found.target, found.units) == (45, 56, 4)
    assert any("1.2 times the risk" in note for note in found.notes)


def test_a_sale_is_the_other_way_round() -> None:
    found = trade("strong sell")
    assert (found.direction, found.stop, found.target) == ("short", 51, 48)
    assert any("would sell" in note for note in found.notes)
    assert trade("sell", stop_percent=90, risk_reward_ratio=5).target == 0


def test_on_hold_there_is_no_trade() -> None:
    options = MarketOptions()
    assert trade_of("hold", 50, 1, strategy_used(options), options) is None


@pytest.mark.parametrize(("atr", "stop"), [(0.5, 48.5), (1.2, 48.2), (5, 48), (None, 48.5)])
def test_the_weekly_stop_follows_the_range_between_its_bounds(atr: float | None, stop: float) -> None:
    found = trade(strategy="weekly", atr=atr)
    assert found.stop == pytest.approx(stop)
    assert found.target == 52
    assert found.position_value <= 35_000
    assert found.units == 700


def test_a_price_beyond_the_capital_buys_nothing_and_says_so() -> None:
    found = trade(close=600_000)
    assert found.units == 0
    assert any("One unit" in note for note in found.notes)
    assert trade(close=600_000, fractional=True).units == pytest.approx(20_000 / 600_000)
