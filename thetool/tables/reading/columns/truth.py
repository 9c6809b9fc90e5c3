"""Whether a column holds yes and no, in which language."""

from __future__ import annotations

import polars as pl

from thetool.tables.reading.columns.decision import ENOUGH, Asking, Decision, Question, share_told, text
from thetool.tables.reading.columns.words import FALSE, TRUE, are_yes_and_no
from thetool.tables.reading.report import ColumnType


def decide(question: Question) -> Asking:
    """Decide on a column that mostly has words for yes and no."""
    values, asked = question.values, question.asked
    lowered = question.column.str.strip_chars().str.to_lowercase()
    seen = question.look.distinct & (TRUE | FALSE)
    counts = yield {word: lowered == word for word in sorted(seen)}
    nulls = 0
    if sum(counts.values()) != values:
        found = yield {"words": lowered.is_in(sorted(TRUE | FALSE)), "nulls": question.is_nothing()}
        nulls = found["nulls"]
        if found["words"] > sum(counts.values()):  # some that the sample does not have
            counts = yield {word: lowered == word for word in sorted(TRUE | FALSE)}
    words = {word for word, count in counts.items() if count}
    fits, real = sum(counts.values()), values - nulls
    if asked is None and (fits < real * ENOUGH or not are_yes_and_no(words)):
        return text(f"Its words for yes and no ({', '.join(sorted(words))}) do not belong together.", values)
    true, false = sorted(words & TRUE), sorted(words & FALSE)
    return Decision(
        ColumnType.BOOLEAN,
        share_told(fits, real, f"words for yes ({', '.join(true)}) or no ({', '.join(false)})"),
        lambda one: _value(one, true, false),
        asked=asked is not None,
        nulls=question.nulls,
        values=values,
        fits=fits,
        null_words=nulls,
        true_words=true,
        false_words=false,
    )


def _value(column: pl.Expr, true: list[str], false: list[str]) -> pl.Expr:
    lowered = column.str.strip_chars().str.to_lowercase()
    return pl.when(lowered.is_in(true)).then(True).when(lowered.is_in(false)).then(False)
