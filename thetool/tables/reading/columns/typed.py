"""Writing `typed.parquet`, and telling of each column what it became."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from thetool.tables.reading.columns import numbers
from thetool.tables.reading.columns.decision import Decision, is_nothing
from thetool.tables.reading.names import ROW
from thetool.tables.reading.report import ColumnType, ReadColumn, UntypedExample
from thetool.tables.reading.sink import Written
from thetool.tables.reading.sink import write as write_table

_EXAMPLES = 5
_LONGEST_EXAMPLE = 200


def write(text: Written, target: Path, decided: dict[str, Decision], tell: Callable[[float], None]) -> None:
    """Write the typed table."""
    columns = [decision.value(pl.col(name)).alias(name) for name, decision in decided.items()]
    write_table(text.frame.select(ROW, *columns).lazy(), target, text.rows, text.engine, tell)


def told(text: Written, decided: dict[str, Decision], originals: Sequence[str | None]) -> list[ReadColumn]:
    """What the reading says of each column."""
    frame = text.frame.lazy()
    examples, null_words, currencies = (
        _examples(frame, decided),
        _null_words(frame, decided),
        _currencies(frame, decided),
    )
    return [
        ReadColumn(
            name=name,
            original_name=original,
            type=decision.type,
            reason=decision.reason,
            asked=decision.asked,
            empty=text.rows - decision.values,
            null_words=null_words.get(name, {}),
            null_words_asked=decision.nulls_asked,
            untyped=decision.untyped,
            untyped_examples=examples.get(name, []),
            decimal=decision.decimal,
            thousands=decision.thousands,
            percent=decision.percent,
            currencies=currencies.get(name, {}),
            date_order=decision.date_order,
            date_formats=decision.date_formats,
            true_words=decision.true_words,
            false_words=decision.false_words,
        )
        for (name, decision), original in zip(decided.items(), originals, strict=True)
    ]


def _examples(text: pl.LazyFrame, decided: dict[str, Decision]) -> dict[str, list[UntypedExample]]:
    wanted = [name for name, decision in decided.items() if decision.untyped]
    asks = [
        text.select(ROW, name)
        .filter(
            pl.col(name).is_not_null()
            & decided[name].value(pl.col(name)).is_null()
            & ~is_nothing(pl.col(name), decided[name].nulls)
        )
        .head(_EXAMPLES)
        for name in wanted
    ]
    found = pl.collect_all(asks, engine="streaming")
    return {
        name: [UntypedExample(row=row, text=value[:_LONGEST_EXAMPLE]) for row, value in part.sort(ROW).rows()]
        for name, part in zip(wanted, found, strict=True)
    }


def _null_words(text: pl.LazyFrame, decided: dict[str, Decision]) -> dict[str, dict[str, int]]:
    wanted = [name for name, decision in decided.items() if decision.null_words]
    asks = [
        text.filter(is_nothing(pl.col(name), decided[name].nulls))
        .group_by(pl.col(name).str.strip_chars().alias("word"))
        .len()
        .sort("len", "word", descending=[True, False])
        for name in wanted
    ]
    return {
        name: dict(part.rows()) for name, part in zip(wanted, pl.collect_all(asks, engine="streaming"), strict=True)
    }


def _currencies(text: pl.LazyFrame, decided: dict[str, Decision]) -> dict[str, dict[str, int]]:
    wanted = [
        name
        for name, decision in decided.items()
        if decision.type in (ColumnType.INTEGER, ColumnType.NUMBER) and decision.has_signs
    ]
    asks = [
        text.select(pl.col(name).str.extract(f"({numbers.CURRENCY})", 1).alias("sign"))
        .filter(pl.col("sign").is_not_null())
        .group_by("sign")
        .len()
        .sort("len", "sign", descending=[True, False])
        for name in wanted
    ]
    return {
        name: dict(part.rows()) for name, part in zip(wanted, pl.collect_all(asks, engine="streaming"), strict=True)
    }
