"""What may be asked: old and new names, null as good as nothing, everything else refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from thetool.tables.market.options import MarketOptions
from thetool.tables.market.strategies import CATEGORY_OF, INDICATORS, STRATEGIES


@pytest.mark.parametrize("given", ["mean_reversion", 3, "3"])
def test_a_strategy_by_name_or_by_its_old_number(given: object) -> None:
    assert MarketOptions.model_validate({"strategy": given}).strategy == "mean_reversion"


@pytest.mark.parametrize("given", ["macd,rsi", ["rsi", "macd", "rsi"], {"macd": True, "rsi": True, "cci": False}])
def test_indicators_as_a_list_or_as_switches(given: object) -> None:
    assert set(MarketOptions.model_validate({"indicators": given}).indicators or ()) == {"macd", "rsi"}


def test_objects_may_come_as_json_in_a_query() -> None:
    options = MarketOptions.model_validate({"category_weights": '{"trend": 2}', "market_columns": '{"close": "Kurs"}'})
    assert options.category_weights == {"trend": 2}
    assert options.market_columns == {"close": "Kurs"}


def test_omitted_optional_settings_are_defaults() -> None:
    """Defect 3 of the older service: what was left out arrived as None, and None / 100 became a made-up trade."""
    nulls = MarketOptions.model_validate(dict.fromkeys(MarketOptions.model_fields))
    assert nulls == MarketOptions()
    assert nulls.capital == 100_000
    assert nulls.risk_percent == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": 6},
        {"strategy": "hope"},
        {"capital": 0},
        {"capital": -5},
        {"capital": "inf"},
        {"risk_percent": 0},
        {"risk_percent": 101},
        {"position_size_limit": 0},
        {"risk_reward_ratio": -1},
        {"stop_percent": 100},
        {"data_period": "a while"},
        {"data_period": "0d"},
        {"category_weights": {"luck": 1}},
        {"category_weights": {"trend": -1}},
        {"category_weights": "{"},
        {"indicators": ["astrology"]},
        {"indicators": {"rsi": False}},
        {"market_columns": {"mood": "x"}},
        {"unknown": 1},
    ],
)
def test_everything_else_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MarketOptions.model_validate(wrong)


def test_each_strategy_weighs_each_indicator() -> None:
    assert [strategy.number for strategy in STRATEGIES.values()] == [1, 2, 3, 4, 5]
    assert set(CATEGORY_OF) == set(INDICATORS)
    for strategy in STRATEGIES.values():
        assert set(strategy.indicator_weights) == set(INDICATORS)
        assert set(strategy.category_weights) == set(CATEGORY_OF.values())
    assert STRATEGIES["trend"].indicator_weights["psar"] == 1.5
    assert STRATEGIES["weekly"].indicator_weights["cmf"] == 1.2


def test_json_without_end_is_refused() -> None:
    with pytest.raises(ValidationError, match="begins as JSON, but is not"):
        MarketOptions.model_validate({"category_weights": '{"trend":' + "[" * 100_000})
