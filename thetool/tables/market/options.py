"""What may be asked of an analysis of market prices. What is left out, or null, is as the strategy has it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import BeforeValidator, Field, field_validator

from thetool.tables.market.strategies import STRATEGIES, Category, Indicator, StrategyName
from thetool.web.schemas import Input

Role = Literal["date", "time", "open", "high", "low", "close", "adjusted_close", "volume", "symbol"]
CategoryWeights = dict[Category, Annotated[float, Field(ge=0, le=10)]]
ColumnName = Annotated[str, Field(min_length=1, max_length=500)]
PERIOD = r"^[1-9][0-9]{0,4}(d|w|mo|y)$"

_NUMBERED = {str(strategy.number): name for name, strategy in STRATEGIES.items()}


def _json(value: Any) -> Any:
    """An object, as it stands in a query or a form."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"begins as JSON, but is not: {error}") from error
    return value


def _strategy(value: Any) -> Any:
    """A name, or the number that it has in TheTool's older service."""
    return _NUMBERED.get(str(value).strip(), value)


def _names(value: Any) -> Any:
    """A comma list, an array, or an object that says true or false for each, as `enabled_indicators` did."""
    value = _json(value)
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    if isinstance(value, dict) and all(isinstance(on, bool) for on in value.values()):
        return [name for name, on in value.items() if on]
    return value


class MarketOptions(Input):
    """How market prices are judged. Null is as good as leaving it out: the strategy's own value counts."""

    strategy: Annotated[StrategyName, BeforeValidator(_strategy)] = Field(
        default="balanced",
        description="How indicators are weighed: `balanced`, `trend`, `mean_reversion`, `momentum`, `weekly`; 1 to 5, "
        "as TheTool's older service had them, are taken too.",
    )
    capital: float = Field(
        default=100_000, gt=0, le=1e12, description="Money in the account, in the currency of the prices."
    )
    risk_percent: float = Field(
        default=2, gt=0, le=100, description="Percent of the capital that may be lost when the stop is hit."
    )
    position_size_limit: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="Percent of the capital that one position may cost; without it as the strategy has it.",
    )
    risk_reward_ratio: float | None = Field(
        default=None,
        gt=0,
        le=20,
        description="How many times as far as the stop the target is; without it as the strategy has it.",
    )
    stop_percent: float | None = Field(
        default=None,
        ge=0.001,
        lt=100,
        description="Distance of the stop, in percent of the entry; without it as the strategy has it.",
    )
    fractional: bool = Field(default=False, description="Whether parts of a unit can be bought (coins, some brokers).")
    data_period: str | None = Field(
        default=None,
        pattern=PERIOD,
        description="Look only at so much before a symbol's last row: `200d`, `52w`, `6mo`, `2y`; without it at all.",
    )
    category_weights: Annotated[CategoryWeights | None, BeforeValidator(_json)] = Field(
        default=None,
        description="Weights of `trend`, `momentum`, `volatility` and `volume`, in place of the strategy's; those not "
        "given stay.",
        examples=[{"trend": 1.5, "momentum": 0.5}],
    )
    indicators: Annotated[list[Indicator] | None, BeforeValidator(_names)] = Field(
        default=None,
        max_length=12,
        description="Indicators that count; without it all twelve. A comma list, an array, or an object of true/false.",
        examples=[["rsi", "macd", "ema"]],
    )
    adjust_splits: bool = Field(
        default=False,
        description="Divide the prices before what looks like a split by its ratio. Without it, that is only told.",
    )
    market_columns: Annotated[dict[Role, ColumnName] | None, BeforeValidator(_json)] = Field(
        default=None,
        description="Which column is what, where it is not recognised: an object of `date`, `time`, `open`, `high`, "
        "`low`, `close`, `adjusted_close`, `volume`, `symbol` and the column's name.",
        examples=[{"date": "Datum", "close": "Schlusskurs"}],
    )

    @field_validator("strategy", "capital", "risk_percent", "fractional", "adjust_splits", mode="before")
    @classmethod
    def _null_is_left_out(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].default if value is None else value

    @field_validator("indicators")
    @classmethod
    def _some(cls, names: list[Indicator] | None) -> list[Indicator] | None:
        if names is not None and not names:
            raise ValueError("names none; leave it out for all twelve")
        return None if names is None else list(dict.fromkeys(names))
