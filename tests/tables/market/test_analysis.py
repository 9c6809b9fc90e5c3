"""From a table to verdicts."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from tests.tables.market.prices import prices
from thetool.tables.market.analysis import analyze_market
from thetool.tables.market.columns import look_for_market
from thetool.tables.market.options import MarketOptions
from thetool.tables.market.report import Market, SymbolResult
from thetool.tables.market.strategies import INDICATORS, STRATEGIES


def market(frame: pl.DataFrame, **options: Any) -> Market:
    asked = MarketOptions.model_validate(options)
    return analyze_market(frame, look_for_market(frame, asked.market_columns), asked)


def only(frame: pl.DataFrame, **options: Any) -> SymbolResult:
    return market(frame, **options).symbols[0]


def rising(rows: int = 300) -> pl.DataFrame:
    """Prices that rise by .4 % a day, with little noise, on a volume that is as good as even."""
    return prices(rows, drift=0.004, noise=0.004)


def test_a_steady_rise_is_a_buy_for_who_follows_trends() -> None:
    found = only(rising(), strategy="trend", indicators="macd,adx,ema,psar")
    assert found.verdict in ("buy", "strong buy")
    assert found.trade is not None
    assert found.trade.entry == found.last_close
    assert found.regime == "trending"
    assert found.reasons[0].endswith(f"{found.verdict}.")


def test_and_a_sale_for_who_expects_prices_to_come_back() -> None:
    found = only(rising(), strategy="mean_reversion", indicators="rsi,stochastic,cci,williams,bollinger")
    assert found.verdict in ("sell", "strong sell")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_score_is_the_weighted_mean_of_the_votes(strategy: str) -> None:
    found = only(prices(300, seed=5), strategy=strategy, category_weights={"volume": 0.5})
    sign = {"buy": 1, "hold": 0, "sell": -1}
    weights = STRATEGIES[strategy].category_weights | {"volume": 0.5}  # type: ignore[index]
    for result in found.indicators:
        by_strategy = STRATEGIES[strategy].indicator_weights[result.indicator]  # type: ignore[index]
        assert result.weight == pytest.approx(result.confidence * by_strategy * weights[result.category])
    total = sum(result.weight for result in found.indicators)
    votes = sum(sign[str(result.vote)] * result.weight for result in found.indicators)
    assert found.score == pytest.approx(votes / total)


def test_values_are_null_while_an_indicator_warms_up() -> None:
    found = {result.indicator: result for result in only(prices(60)).indicators}
    assert found["ema"].values["slow"] is None
    assert found["ema"].vote is None
    assert found["ema"].weight == 0
    assert "200 rows" in found["ema"].reason
    assert found["rsi"].values["rsi"] is not None


def test_prices_that_do_not_move_are_a_hold_without_a_score() -> None:
    flat = prices(80).with_columns(*(pl.lit(5.0).alias(name) for name in ("Open", "High", "Low", "Close")))
    found = only(flat, indicators="rsi,stochastic,cci,williams,cmf,adx")
    assert (found.verdict, found.score, found.trade) == ("hold", None, None)
    assert {result.vote for result in found.indicators} == {None}


def test_only_the_indicators_that_were_asked_for() -> None:
    found = only(prices(80), indicators=["cmf", "rsi"])
    assert [result.indicator for result in found.indicators] == ["rsi", "cmf"]
    assert [result.indicator for result in only(prices(80)).indicators] == list(INDICATORS)


def test_without_volume_there_are_ten_votes() -> None:
    found = only(prices(250).drop("Volume"))
    assert [result.indicator for result in found.indicators if result.vote is None] == ["obv", "cmf"]
    assert found.series is not None
    assert found.series.volume is None


def test_progress_is_told_and_may_stop_the_work() -> None:
    frame = pl.concat([prices(60, seed=seed).with_columns(Symbol=pl.lit(f"S{seed}")) for seed in range(4)])
    told: list[tuple[float, str]] = []
    analyze_market(frame, look_for_market(frame), None, lambda done, what: told.append((done, what)))
    assert told == [(0, "S0"), (0.25, "S1"), (0.5, "S2"), (0.75, "S3")]


def test_a_frame_from_a_file_is_read_no_further_than_needed(tmp_path: Any) -> None:
    path = tmp_path / "typed.parquet"
    prices(100).write_parquet(path)
    scanned = pl.scan_parquet(path)
    assert analyze_market(scanned, look_for_market(scanned)) == market(prices(100))


def test_the_answer_says_that_it_is_no_advice() -> None:
    answer = market(prices(80)).model_dump(mode="json")
    assert "not advice" in answer["disclaimer"]


def test_the_answer_is_json_without_nan() -> None:
    text = market(prices(60)).model_dump_json()
    assert "NaN" not in text
    assert Market.model_validate_json(text).symbols[0].rows == 60


def test_every_field_of_the_answer_is_described() -> None:
    series = {"open", "high", "low", "close", "volume"}
    for model in (Market, SymbolResult):
        for name, field in model.model_fields.items():
            assert field.description or name in {"columns", "strategy"} | series, name


def finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


EXTREMES = [
    {"Volume": pl.lit(1e308)},
    {"Volume": pl.lit(1e-300)},
    {"Adj": pl.col("Close") * 1e-300},
    {"Adj": pl.when(pl.col("_row") == 9).then(pl.col("Close") * 1e300).otherwise("Close")},
    {"High": pl.when(pl.col("_row") == 9).then(1e308).otherwise("High")},
    {"Low": pl.when(pl.col("_row") == 60).then(5e-324).otherwise("Low")},
    {"Close": pl.col("Open"), "High": pl.col("Open"), "Low": pl.col("Open")},
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("start", [1e-10, 1, 1e10])
@pytest.mark.parametrize("changed", range(len(EXTREMES)))
def test_no_number_is_too_odd(changed: int, start: float) -> None:
    """Whatever the table holds, the answer is of finite numbers, and says what was left out."""
    frame = prices(250, start=start).with_columns(**EXTREMES[changed]).rename({"Adj": "Adj Close"}, strict=False)
    answer = market(frame, strategy="weekly")
    assert finite(answer.model_dump(mode="json"))
    assert answer.symbols[0].rows >= 249


def test_prices_beyond_all_measure_are_left_out() -> None:
    answer = market(prices(80, start=1e250))
    assert answer.symbols == []
    assert [(left.symbol, left.rows) for left in answer.left_out] == [(None, 0)]
