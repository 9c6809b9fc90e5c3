"""What is told of a market, in the words and units of the answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from thetool.tables.market.columns import MarketColumns
from thetool.tables.market.strategies import Category, Indicator, StrategyName

DISCLAIMER = (
    "This is arithmetic on the prices of the table, not advice. The indicators describe the past; nobody has shown "
    "that their votes foretell prices. Whoever trades decides for themselves, and can lose all of it."
)

Vote = Literal["buy", "hold", "sell"]
Verdict = Literal["strong buy", "buy", "hold", "sell", "strong sell"]
Regime = Literal["choppy", "weak trend", "trending"]


class MarketNote(BaseModel):
    """What is to be known about the rows of a symbol: what was left out, changed, or looks odd."""

    code: str = Field(description="Stable, for programs.", examples=["contradicting"])
    message: str = Field(description="In a sentence.")
    rows: int = Field(ge=0, description="Rows that it is about.")


class LeftOut(BaseModel):
    """A symbol that was not analysed."""

    symbol: str | None = Field(description="Its name; null where the table has one symbol.")
    rows: int = Field(ge=0, description="Its usable rows.")
    reason: str = Field(description="Why, in a sentence.")


class IndicatorResult(BaseModel):
    """An indicator at the last row, and what it votes."""

    indicator: Indicator = Field(description="Its short name.")
    title: str = Field(description="Its name.", examples=["Relative strength index"])
    category: Category = Field(description="What kind it is.")
    values: dict[str, float | None] = Field(
        description="Its values at the last row; null where it needs more rows, or is not defined.",
        examples=[{"macd": 1.31, "signal": 1.02, "histogram": 0.29}],
    )
    parameters: dict[str, float] = Field(description="What it was computed with, in rows.", examples=[{"period": 14}])
    vote: Vote | None = Field(description="`buy`, `hold` or `sell`; null without a value: it does not count then.")
    confidence: float = Field(ge=0, le=1, description="How clear the vote is; docs/market.md has the formula of each.")
    weight: float = Field(
        ge=0,
        description="Confidence × the strategy's weight of the indicator × that of its category: how much it counts.",
    )
    reason: str = Field(description="Why it votes so, in a sentence.")


class Trade(BaseModel):
    """What a trade on the verdict would be, by the strategy's arithmetic."""

    direction: Literal["long", "short"] = Field(
        description="`long`: bought first; `short`: sold first, on a sell verdict."
    )
    entry: float = Field(gt=0, description="Price to get in.")
    entry_method: Literal["last close"] = Field(description="How the entry was found: it is always the last close.")
    stop: float = Field(ge=0, description="Price at which the loss is taken.")
    target: float = Field(ge=0, description="Price at which the gain is taken.")
    risk_reward_ratio: float = Field(ge=0, description="Distance to the target, divided by that to the stop.")
    units: float = Field(ge=0, description="Units to trade; whole ones unless `fractional`.")
    position_value: float = Field(ge=0, description="Units × entry.")
    money_at_risk: float = Field(ge=0, description="What is lost when the stop is hit, without costs and gaps.")
    limited_by: Literal["risk", "position size"] = Field(description="What kept the position from being larger.")
    notes: list[str] = Field(description="What is to be known about it.")


class Check(BaseModel):
    """A condition that the weekly strategy asks of a buy."""

    name: Literal["trend strength", "trend filter", "momentum"] = Field(description="Its name.")
    passed: bool | None = Field(description="Whether it holds; null where values are missing.")
    detail: str = Field(description="What is asked, with the values.")


class Series(BaseModel):
    """The prices and indicators over time, to be drawn: lists of the same length, oldest first."""

    rows_per_point: int = Field(
        ge=1,
        description="1: each row is a point. n: n rows are one (the first may be fewer): first open, highest high, "
        "lowest low, last close, sum of volumes, and the indicators at its last row.",
    )
    date: list[str] = Field(description="Of the last row of the point: a date, or date and time (UTC where zoned).")
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float] | None
    ema_fast: list[float | None]
    ema_slow: list[float | None]
    bollinger_upper: list[float | None]
    bollinger_middle: list[float | None]
    bollinger_lower: list[float | None]
    psar: list[float | None]
    rsi: list[float | None]
    macd: list[float | None]
    macd_signal: list[float | None]
    macd_histogram: list[float | None]


class SymbolResult(BaseModel):
    """One symbol's analysis at its last row."""

    symbol: str | None = Field(description="Its name; null where the table has one symbol.")
    rows: int = Field(ge=0, description="Rows that count.")
    first: datetime = Field(description="Of the first row.")
    last: datetime = Field(description="Of the last row: what everything here is about.")
    interval: str = Field(description="Usual time from row to row.", examples=["1 day"])
    last_close: float = Field(gt=0, description="Close of the last row.")
    change_percent: float | None = Field(description="From the close before it, in percent.")
    score: float | None = Field(
        ge=-1,
        le=1,
        description="Sum of vote (buy 1, hold 0, sell -1) × weight, divided by the sum of weights; null if that is 0.",
    )
    verdict: Verdict = Field(
        description="`strong buy` from .6, `buy` from .2, `sell` from -.2, `strong sell` from -.6."
    )
    regime: Regime | None = Field(description="By ADX: `choppy` below 20, `weak trend` below 25, else `trending`.")
    indicators: list[IndicatorResult] = Field(description="Each that was asked for.")
    trade: Trade | None = Field(description="What a trade would be; null on hold.")
    checks: list[Check] | None = Field(description="What the weekly strategy asks of a buy; null for the others.")
    confidence: float | None = Field(ge=0, le=1, description="1 less what failed checks take; null without checks.")
    reasons: list[str] = Field(description="Why the verdict is so, in plain words, the weightiest first.")
    notes: list[MarketNote] = Field(description="What is to be known about its rows.")
    series: Series | None = Field(
        description="To be drawn; null where the answer would be too large: see `notes` of the table."
    )


class StrategyUsed(BaseModel):
    """What was weighed how."""

    name: StrategyName
    title: str
    indicator_weights: dict[Indicator, float] = Field(description="Of those that count.")
    category_weights: dict[Category, float]
    stop_percent: float = Field(
        description="Distance of the stop, in percent; the least of it where it follows the ATR."
    )
    risk_reward_ratio: float | None = Field(description="Null where the target is a percentage.")
    target_percent: float | None = Field(description="Null where the target is a multiple of the stop.")
    position_size_limit: float = Field(description="Percent of the capital.")


class Market(BaseModel):
    """A table of market prices, analysed symbol by symbol."""

    columns: MarketColumns
    strategy: StrategyUsed
    symbols: list[SymbolResult] = Field(description="In the order in which they come in the table.")
    left_out: list[LeftOut] = Field(description="Symbols that were not analysed, each with the reason.")
    notes: list[MarketNote] = Field(description="What is to be known about the table.")
    disclaimer: str = Field(default=DISCLAIMER, description="What this is not.")
