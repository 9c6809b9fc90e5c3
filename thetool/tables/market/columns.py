"""Which columns of a table are a market's: by their names, and by whether the values are what the names say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from thetool.tables.market.names import by_word, named, unnamed
from thetool.tables.market.options import Role
from thetool.tables.market.values import SLACK, as_moment, as_number, as_volume

if TYPE_CHECKING:
    import polars as pl

FEWEST_ROWS = 50
"""Of one symbol, so that most indicators say anything."""

_PRICES: tuple[Role, ...] = ("open", "high", "low", "close")
_NEEDED: tuple[Role, ...] = ("date", *_PRICES)
# the order matters: who comes first takes a name that several roles know (`time`, `last`, `o`)
_ORDER: tuple[Role, ...] = (*_NEEDED, "adjusted_close", "volume", "symbol", "time")
_LEAST_CONSISTENT = 0.8
_LEAST_CONSISTENT_WITHOUT_NAMES = 0.98
_LEAST_READ = 0.5
_MOST_NUMBERS, _MOST_TEXTS = 12, 50
"""Columns among which prices without names, and symbols, are looked for: in a wide table that would take long."""


class MarketColumns(BaseModel):
    """Which column is what. The names are those of the table."""

    date: str = Field(description="When.", examples=["Date"])
    time: str | None = Field(default=None, description="The time of day, where it has a column of its own.")
    open: str = Field(description="First price of the row's time.")
    high: str = Field(description="Highest price.")
    low: str = Field(description="Lowest price.")
    close: str = Field(description="Last price.")
    adjusted_close: str | None = Field(default=None, description="Close without the jumps of splits and dividends.")
    volume: str | None = Field(default=None, description="Units traded; null: OBV and CMF cannot be computed.")
    symbol: str | None = Field(default=None, description="What was traded; null: the table has one symbol.")
    found_by: Literal["names", "values", "request"] = Field(
        description="`names`: what the columns are called; `values`: the columns have no names, and those of every row "
        "lie as open, high, low and close do, in this order; `request`: as it was asked for."
    )
    consistent: float = Field(
        ge=0, le=1, description="Share of the rows in which high is the highest price and low the lowest."
    )


class NoMarketError(Exception):
    """The table does not hold a market's prices; `str()` says why."""


def find_market(frame: pl.DataFrame | pl.LazyFrame, columns: Mapping[Role, str] | None = None) -> MarketColumns | None:
    """The columns of prices in a table; None where it has none, or under 50 rows of every symbol.

    Args:
        frame: the typed table; `_row`, where it has that, is not looked at.
        columns: which column is what, as asked for; the others are looked for.
    """
    try:
        return look_for_market(frame, columns)
    except NoMarketError:
        return None


def look_for_market(frame: pl.DataFrame | pl.LazyFrame, columns: Mapping[Role, str] | None = None) -> MarketColumns:
    """As `find_market`, for who wants to know why there is none.

    Raises:
        NoMarketError: says what is missing, or which values are not as prices are.
    """
    table = frame.lazy()
    names = [name for name in table.collect_schema().names() if name != "_row"]
    given = dict(columns or {})
    if wrong := [name for name in given.values() if name not in names]:
        raise NoMarketError(f"There is no column {wrong[0]!r}.")
    found = _by_name(table, names, given)
    missing = [role for role in _NEEDED if role not in found]
    if missing and not given and unnamed(names):
        return _with_symbol(table, _by_values(table, names))
    if missing:
        raise NoMarketError(f"No column is called as {_listed(missing)}; market_columns can say which it is.")
    share = _consistent(table, found)
    if share < _LEAST_CONSISTENT:
        raise NoMarketError(f"Only in {share:.0%} of the rows are high the highest and low the lowest of four prices.")
    return _with_symbol(table, _columns(found, "request" if given else "names", share))


def _listed(roles: Sequence[str]) -> str:
    return roles[0] if len(roles) == 1 else f"{', '.join(roles[:-1])} and {roles[-1]}"


def _by_name(table: pl.LazyFrame, names: Sequence[str], given: dict[Role, str]) -> dict[Role, str]:
    found, columns = dict(given), by_word(names)
    for role in _ORDER:
        if role not in found and (fitting := named(columns, role, found.values())):
            found[role] = _filled(table, fitting) if role == "volume" and len(fitting) > 1 else fitting[0]
    return found


def _filled(table: pl.LazyFrame, volumes: Sequence[str]) -> str:
    """The first of these that says anything: trading programs leave one of theirs at zero."""
    schema = table.collect_schema()
    most = table.select(as_volume(name, schema).max().alias(name) for name in volumes).collect().row(0, named=True)
    return next((name for name in volumes if (most[name] or 0) > 0), volumes[0])


def _columns(found: Mapping[Role, str], by: Literal["names", "values", "request"], share: float) -> MarketColumns:
    return MarketColumns.model_validate({**found, "found_by": by, "consistent": round(share, 4)})


def _consistent(table: pl.LazyFrame, found: Mapping[Role, str]) -> float:
    """The share of readable rows that lie as they should; 0 where too few can be read."""
    import polars as pl

    schema = table.collect_schema()
    opened, high, low, close = (as_number(found[role], schema) for role in _PRICES)
    readable = pl.all_horizontal(
        as_moment(found["date"], found.get("time"), schema).is_not_null(),
        *(price.is_not_null() for price in (opened, high, low, close)),
    )
    slack = SLACK * high.abs()
    lies = (high + slack >= pl.max_horizontal(opened, close, low)) & (low - slack <= pl.min_horizontal(opened, close))
    rows, read, well = (
        table.select(pl.len().alias("rows"), readable.sum().alias("read"), (readable & lies).sum().alias("well"))
        .collect()
        .row(0)
    )
    if read < FEWEST_ROWS:
        raise NoMarketError(f"Only {read} of {rows} rows have a date and four prices; {FEWEST_ROWS} are needed.")
    return float(well / read) if read >= rows * _LEAST_READ else 0.0


def _by_values(table: pl.LazyFrame, names: Sequence[str]) -> MarketColumns:
    """Without names: a date, then the first four numbers side by side that lie as open, high, low, close."""
    schema = table.collect_schema()
    numbers = [name for name in names if schema[name].is_numeric()][:_MOST_NUMBERS]
    dates = [name for name in names if schema[name].is_temporal()]
    for at in range(len(numbers) - 3):
        found = dict(zip(_PRICES, numbers[at : at + 4], strict=True))
        before = [name for name in dates if names.index(name) < names.index(numbers[at])]
        if not before:
            continue
        found["date"] = before[0]
        if len(before) > 1 and str(schema[before[1]]) == "Time":
            found["time"] = before[1]
        share = _consistent(table, found)
        if share >= _LEAST_CONSISTENT_WITHOUT_NAMES and _moves(table, found["high"], found["low"]):
            if at + 4 < len(numbers):
                found["volume"] = numbers[at + 4]
            return _columns(found, "values", share)
    raise NoMarketError("The columns have no names, and no four of them lie as open, high, low and close do.")


def _moves(table: pl.LazyFrame, high: str, low: str) -> bool:
    """Whether the two differ in most rows; of four columns alike each would be the highest."""
    import polars as pl

    return bool((table.select((pl.col(high) > pl.col(low)).mean()).collect().item() or 0) > 0.5)


def _with_symbol(table: pl.LazyFrame, columns: MarketColumns) -> MarketColumns:
    """The same with the column of symbols, also where nothing but the values tells it; enough rows of one of them."""
    import polars as pl

    schema = table.collect_schema()
    moment = as_moment(columns.date, columns.time, schema).alias("moment")
    if columns.symbol is None:
        texts = [
            name for name, kind in schema.items() if kind == pl.String and name not in columns.model_dump().values()
        ]
        columns = columns.model_copy(update={"symbol": _parting(table, moment, texts)})
    if columns.symbol is not None:
        most = table.group_by(pl.col(columns.symbol)).len().select(pl.col("len").max()).collect().item()
        if most < FEWEST_ROWS:
            raise NoMarketError(f"No symbol has {FEWEST_ROWS} rows; the most that one has is {most}.")
    return columns


def _parting(table: pl.LazyFrame, moment: pl.Expr, texts: Sequence[str]) -> str | None:
    """The text column within each of whose values a date comes once, where in the table most come more often."""
    import polars as pl

    moments, rows = table.select(moment.n_unique(), pl.len().alias("rows")).collect().row(0)
    texts = texts[:_MOST_TEXTS]
    if moments > rows * 0.7 or not texts:
        return None
    kinds = [pl.col(name).n_unique().alias(name) for name in texts]
    pairs = [pl.struct(moment, pl.col(name)).n_unique().alias(name) for name in texts]
    number = table.select(kinds).collect().row(0, named=True)
    apart = table.select(pairs).collect().row(0, named=True)
    parting = [name for name in texts if apart[name] >= rows * 0.99 and number[name] <= rows / 2]
    return min(parting, key=lambda name: int(number[name])) if parting else None
