"""Types of all columns of a table: a look at a sample first, then counts over every row.

Each column that may have a type asks for counts (`decision.Asking`); the asks of all columns go into one streaming
query, round by round, so that the text is read few times, and never held as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from thetool.tables.reading.columns import calendar, numeric, truth
from thetool.tables.reading.columns.decision import Asking, Counts, Decision, text
from thetool.tables.reading.columns.shapes import Look, look_at
from thetool.tables.reading.columns.words import FALSE, TRUE, are_yes_and_no
from thetool.tables.reading.options import ColumnOptions, ReadOptions
from thetool.tables.reading.report import ColumnType

_SAMPLE_ROWS = 1_000
_SAMPLE_WINDOWS = 8
_LIKELY = 0.5
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
_DATES = (ColumnType.DATE, ColumnType.DATETIME)


@dataclass
class Deciding:
    """The texts of a table, and what is asked of their types."""

    path: Path
    names: Sequence[str]
    rows: int
    options: ReadOptions
    delimiter: str | None
    tell: Callable[[float], None]

    def decide(self) -> dict[str, Decision]:
        """The type of each column."""
        empty = self._empty()
        sample = self._sample()
        decided: dict[str, Decision] = {}
        asking: dict[str, Asking] = {}
        for name in self.names:
            found = self._begin(name, look_at(sample[name]), self.rows - empty[name])
            if isinstance(found, Decision):
                decided[name] = found
            else:
                asking[name] = found
        self._run(asking, decided)
        _settle(decided, self.delimiter)
        return {name: decided[name] for name in self.names}

    def _empty(self) -> dict[str, int]:
        frame = pl.scan_parquet(self.path).select(pl.col(*self.names).null_count())
        return frame.collect(engine="streaming").row(0, named=True)

    def _sample(self) -> dict[str, list[str | None]]:
        """Values from windows that are spread over the table."""
        frame = pl.scan_parquet(self.path).select(self.names)
        if self.rows <= _SAMPLE_ROWS:
            return frame.collect().to_dict(as_series=False)
        size = _SAMPLE_ROWS // _SAMPLE_WINDOWS
        starts = [(self.rows - size) * at // (_SAMPLE_WINDOWS - 1) for at in range(_SAMPLE_WINDOWS)]
        return pl.concat([frame.slice(start, size).collect() for start in starts]).to_dict(as_series=False)

    def _begin(self, name: str, look: Look, values: int) -> Decision | Asking:
        own = self.options.columns.get(name, ColumnOptions())
        decimal = own.decimal or self.options.decimal
        order = own.date_order or self.options.date_order
        column = pl.col(name)
        if self.options.as_text or own.type is ColumnType.TEXT:
            decision = text("It was asked for.", values)
            decision.asked = True
            return decision
        kind = own.type or _likely(look)
        if kind in _NUMBERS:
            return numeric.decide(name, column, look, values, decimal, own.type)
        if kind in _DATES:
            return calendar.decide(column, look, values, order, own.type)
        if kind is ColumnType.TIME:
            return calendar.decide_times(column, values, own.type)
        if kind is ColumnType.BOOLEAN:
            return truth.decide(column, values, own.type)
        return text(_why_text(look, values), values)

    def _run(self, asking: dict[str, Asking], decided: dict[str, Decision]) -> None:
        """Let the columns ask, until each is decided."""
        answers: dict[str, Counts | None] = dict.fromkeys(asking)
        rounds = 0
        while answers:
            asked: dict[str, dict[str, pl.Expr]] = {}
            for name, counts in answers.items():
                try:
                    asked[name] = asking[name].send(counts)  # type: ignore[arg-type]
                except StopIteration as end:
                    decided[name] = end.value
            answers = dict(self._count(asked)) if asked else {}
            rounds += 1
            self.tell(min(1.0, rounds / 3))

    def _count(self, asked: dict[str, dict[str, pl.Expr]]) -> dict[str, Counts]:
        places = [(name, key, expression) for name, asks in asked.items() for key, expression in asks.items()]
        sums = [expression.sum().alias(str(number)) for number, (_, _, expression) in enumerate(places)]
        row = pl.scan_parquet(self.path).select(sums).collect(engine="streaming").row(0)
        counts: dict[str, Counts] = {name: {} for name in asked}
        for (name, key, _), count in zip(places, row, strict=True):
            counts[name][key] = count or 0
        return counts


def _likely(look: Look) -> ColumnType:
    """What most values of the sample look like."""
    enough = look.values * _LIKELY
    if not look.values:
        return ColumnType.TEXT
    words_only = look.yes_no >= look.values * 0.8
    if words_only and are_yes_and_no(look.distinct & (TRUE | FALSE)):
        return ColumnType.BOOLEAN
    if look.dates["compact"] == look.values and len(look.distinct) >= 5:
        return ColumnType.DATE
    if look.numbers + look.codes >= enough:
        return ColumnType.NUMBER
    if look.all_dates >= enough:
        return ColumnType.DATE
    if look.times >= enough:
        return ColumnType.TIME
    return ColumnType.TEXT


def _why_text(look: Look, values: int) -> str:
    if not values:
        return "It has no values."
    if look.numbers or look.all_dates:
        return "Most of its values are words; some are numbers or dates."
    return "Its values are words."


def _settle(decided: dict[str, Decision], delimiter: str | None) -> None:
    """Columns that could be read in two ways follow those that could not."""
    marks = {one.decimal for one in decided.values() if one.decimal and not one.otherwise}
    orders = {one.date_order for one in decided.values() if one.date_order in ("dmy", "mdy") and not one.otherwise}
    comma = marks == {","} or (not marks and delimiter == ";")
    for name, decision in decided.items():
        other = decision.otherwise
        if other is None:
            continue
        if (decision.date_order and orders == {other.date_order}) or (not decision.date_order and comma):
            decided[name] = other
        elif decision.date_order and not orders and comma and other.date_order == "dmy":
            other.reason = (
                other.reason.split(" That it is")[0] + " Day first is a guess: other numbers have a decimal comma."
            )
            decided[name] = other
