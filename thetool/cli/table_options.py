"""The options of tables on the command line: those of `POST /analyze`, by the same names (a test compares them)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class Given(NamedTuple):
    """An option: its name in the API, what stands for its value (None: it is yes or no), and what it is for."""

    name: str
    value: str | None
    help: str


READING = (
    Given("format", "NAME", "What a table is: csv, tsv, json, jsonl, parquet, xlsx or ods. [default: it is seen]"),
    Given("sheet", "NAME", "Which sheet of a workbook. [default: the first with a table]"),
    Given("delimiter", "CHARACTER", "What stands between the fields of a table. [default: it is found]"),
    Given("quote", "CHARACTER", 'What stands around fields; "" for nothing. [default: it is found]'),
    Given("header_row", "N", "The line with the names of the columns, from 1; 0: there is none."),
    Given("last_row", "N", "The last line of the table."),
    Given("decimal", ".|,", "The decimal mark of all numbers."),
    Given("date_order", "dmy|mdy|ymd", "What comes first in all dates."),
    Given("null_words", "A,B,…", "Words that stand for nothing, in place of n/a and its like."),
    Given("as_text", None, "Give no column a type."),
    Given("columns", "JSON", 'How columns are read: {"zip": {"type": "text"}}.'),
)
MARKET = (
    Given("strategy", "NAME", "How a table of prices is judged: balanced, trend, mean_reversion, momentum or weekly."),
    Given("capital", "MONEY", "Money in the account. [default: 100000]"),
    Given("risk_percent", "PERCENT", "Of the capital, that may be lost at the stop. [default: 2]"),
    Given("position_size_limit", "PERCENT", "Of the capital, that a position may cost."),
    Given("risk_reward_ratio", "N", "How many times as far as the stop the target is."),
    Given("stop_percent", "PERCENT", "Distance of the stop, in percent of the entry."),
    Given("fractional", None, "Parts of a unit can be bought."),
    Given("data_period", "200d|52w|6mo|2y", "Look only at so much before the last price."),
    Given("category_weights", "JSON", 'Weights of the kinds of indicators: {"trend": 1.5}.'),
    Given("indicators", "A,B,…", "Indicators that count. [default: all twelve]"),
    Given("adjust_splits", None, "Divide the prices before what looks like a split."),
    Given("market_columns", "JSON", 'Which columns the prices are in: {"date": "Datum", "close": "Schluss"}.'),
)
TASKS = frozenset({"profile", "market", "correlations"})
"""Who asks for nothing but these means a table."""
OF_READING = frozenset(option.name for option in READING)


def table_options(command: Command) -> Command:
    """Give a command these options."""
    for option in reversed(READING + MARKET):
        flag = option.value is None
        command = click.option(
            f"--{option.name.replace('_', '-')}",
            option.name,
            is_flag=flag,
            default=None,
            type=None if flag else str,
            metavar=option.value,
            help=option.help,
        )(command)
    return command


def given_of(values: dict[str, Any]) -> dict[str, str]:
    """The options that were given, as fields of a form."""
    return {name: "true" if value is True else str(value) for name, value in values.items() if value is not None}
