"""Types of all columns of a table: a look at a sample first, then counts over every row.

Each column that may have a type asks for counts (`decision.Asking`); the asks of all columns go into one streaming
query, round by round, so that the text is read few times, and never held as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from thetool.tables.reading.columns import calendar, declared, numeric, truth
from thetool.tables.reading.columns.decision import Asking, Counts, Decision, Question, is_nothing, text
from thetool.tables.reading.columns.settling import settle
from thetool.tables.reading.columns.shapes import Look, look_at
from thetool.tables.reading.columns.words import FALSE, NULL_WORDS, TRUE, are_yes_and_no
from thetool.tables.reading.options import ColumnOptions, ReadOptions
from thetool.tables.reading.report import ColumnType
from thetool.tables.reading.sink import Written

_LIKELY = 0.5
_ASKED = "It was asked for."
_NOTHING_ASKED = ColumnOptions()
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
_DATES = (ColumnType.DATE, ColumnType.DATETIME)


@dataclass
class Deciding:
    """The texts of a table, and what is asked of their types."""

    text: Written
    names: Sequence[str]
    declared: Mapping[str, ColumnType]
    kept: Mapping[str, str]  # columns that stay text unless a type is asked for, and why
    options: ReadOptions
    delimiter: str | None
    tell: Callable[[float], None]

    def decide(self) -> dict[str, Decision]:
        """The type of each column."""
        decided: dict[str, Decision] = {}
        asking: dict[str, Asking] = {}
        for name in self.names:
            found = self._begin(name, self.text.sample[name], self.text.values[name])
            if isinstance(found, Decision):
                decided[name] = found
            else:
                asking[name] = found
        self._run(asking, decided)
        settle(decided, self.delimiter)
        return {name: decided[name] for name in self.names}

    def _begin(self, name: str, sample: Sequence[str | None], values: int) -> Decision | Asking:
        own = self.options.columns.get(name, _NOTHING_ASKED)
        given = own.null_words if own.null_words is not None else self.options.null_words
        nulls = NULL_WORDS if given is None else frozenset(("", *(word.strip().lower() for word in given)))
        as_text = self.options.as_text or own.type is ColumnType.TEXT
        if as_text and given is None:
            return replace(text(_ASKED, values), asked=True)
        if own.type is None and name in self.declared and not as_text:
            return declared.decide(pl.col(name), values, self.declared[name])
        look = look_at(sample, nulls)
        look.whole = len(sample) == self.text.rows
        decimal, order = own.decimal or self.options.decimal, own.date_order or self.options.date_order
        question = Question(name, pl.col(name), look, values, nulls, own.type, decimal, order)
        kept = self.kept.get(name) if own.type is None else None
        asking = None if kept or as_text else _asking(question, own.type or _likely(look))
        why = _ASKED if as_text else kept or _why_text(look, values)
        if given is not None:
            return _with_nulls(question, asking, replace(text(why, values), asked=as_text))
        return asking or text(why, values)

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
        answers = [expression.alias(str(number)) for number, (_, _, expression) in enumerate(places)]
        frame = self.text.frame.lazy()
        if self.text.engine == "streaming":  # in one step it works out twice what an answer needs twice
            sums = frame.select(answers).select(pl.all().sum())
        else:
            sums = frame.select(answer.sum() for answer in answers)
        row = sums.collect(engine=self.text.engine).row(0) if places else ()
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


def _asking(question: Question, kind: ColumnType) -> Asking | None:
    if kind in _NUMBERS:
        return numeric.decide(question)
    if kind in _DATES:
        return calendar.decide(question)
    if kind is ColumnType.TIME:
        return calendar.decide_times(question)
    return truth.decide(question) if kind is ColumnType.BOOLEAN else None


def _with_nulls(question: Question, asking: Asking | None, otherwise: Decision) -> Asking:
    """Words for null that were asked for are null in texts too."""
    decision = (yield from asking) if asking else otherwise
    decision.nulls_asked = True
    if decision.type is ColumnType.TEXT:
        counts = yield {"nulls": question.is_nothing()}
        decision.nulls, decision.null_words = question.nulls, counts["nulls"]
        decision.value = lambda one: pl.when(~is_nothing(one, question.nulls)).then(one)
    return decision


def _why_text(look: Look, values: int) -> str:
    if not values:
        return "It has no values."
    if all(value[:1] in "{[" for value in look.distinct):
        return "Its values are objects or lists, written as JSON."
    if look.numbers or look.all_dates:
        return "Most of its values are words; some are numbers or dates."
    return "Its values are words."
