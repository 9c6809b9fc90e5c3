"""A column, surveyed batch by batch, and what is said of it in the end."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import numpy as np
import polars as pl

from thetool.tables.profile import dates, numbers
from thetool.tables.profile.schemas import (
    ColumnProfile,
    ColumnType,
    Distinct,
    ProfileOptions,
    Semantic,
    SemanticType,
    TopValue,
)
from thetool.tables.profile.tally import Tally
from thetool.tables.profile.texts import Lengths, shown

SAMPLE = 10_000
_MEANS: dict[ColumnType, SemanticType] = {
    "text": "text",
    "integer": "measure",
    "number": "measure",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
}


class Survey:
    """What every column is asked; the kinds of columns ask more."""

    def __init__(self, name: str, kind: ColumnType, rows: int, options: ProfileOptions) -> None:
        self.name = name
        self.kind: ColumnType = kind
        self.rows = rows
        self.options = options
        self.nulls = 0
        self.blanks = 0

    def add(self, start: int, text: pl.Series, typed: pl.Series) -> None:
        """Add the rows from `start` on, as text and typed."""
        empty = typed.null_count()
        self.nulls += empty
        if empty:
            unread = text if empty == len(typed) else text.filter(typed.is_null())
            blank = unread.null_count()
            if blank < len(unread):
                blank += int((unread.str.strip_chars() == "").sum())
            self.blanks += blank

    def told(self, now: datetime) -> ColumnProfile:
        """What is said of the column."""
        raise NotImplementedError

    def _profile(self, distinct: Distinct, top: list[TopValue], top_exact: bool = True, **more: Any) -> ColumnProfile:
        values = self.rows - self.nulls
        return ColumnProfile(
            name=self.name,
            type=self.kind,
            semantic=Semantic(type=_MEANS[self.kind], share=1, fits=values, of=values, reason="By the column's type."),
            nulls=self.nulls,
            null_share=self.nulls / self.rows if self.rows else 0,
            blanks=self.blanks,
            untyped=0,
            distinct=distinct,
            unique=bool(values) and distinct.exact and distinct.count == values,
            top=top,
            top_exact=top_exact,
            **more,
        )


class NumberSurvey(Survey):
    """A column of numbers."""

    def __init__(self, name: str, kind: ColumnType, rows: int, options: ProfileOptions) -> None:
        super().__init__(name, kind, rows, options)
        self._parts: list[pl.Series] = []

    def add(self, start: int, text: pl.Series, typed: pl.Series) -> None:
        """Add the rows from `start` on; the numbers are kept to the end."""
        super().add(start, text, typed)
        self._parts.append(typed)

    def _values(self) -> tuple[numbers.Values, numbers.Values | None]:
        """The values and, if some cells are empty, their rows."""
        whole = self._parts[0] if len(self._parts) == 1 else pl.concat(self._parts)
        self._parts = []
        if not self.nulls:
            return whole.to_numpy(), None
        return whole.drop_nulls().to_numpy(), np.flatnonzero(whole.is_not_null().to_numpy()) + 1

    def told(self, now: datetime) -> ColumnProfile:
        """What is said of the column."""
        values, rows = self._values()
        not_finite = 0
        if values.dtype.kind == "f":
            finite = np.isfinite(values)
            not_finite = len(values) - int(finite.sum())
            if not_finite:
                rows = (np.flatnonzero(finite) + 1) if rows is None else rows[finite]
                values = values[finite]
        ordered = np.sort(values)
        distinct, top = numbers.distinct_and_top(ordered, self.options.top_values)
        said = numbers.statistics(values, ordered, not_finite)
        return self._profile(
            distinct,
            numbers.top_values(top, self.rows - self.nulls),
            numbers=said,
            histogram=numbers.histogram(ordered),
            outliers=numbers.outliers(values, ordered, rows, said, self.options.examples),
        )


class DateSurvey(NumberSurvey):
    """A column of dates or points in time."""

    def add(self, start: int, text: pl.Series, typed: pl.Series) -> None:
        """Add the rows from `start` on, as microseconds since 1970."""
        at = typed.cast(pl.Datetime("us")) if typed.dtype == pl.Date else typed
        super().add(start, text, at.to_physical())

    def told(self, now: datetime) -> ColumnProfile:
        """What is said of the column."""
        values, _ = self._values()
        ordered = np.sort(values)
        distinct, top = numbers.distinct_and_top(ordered, self.options.top_values)
        written = [(self._written(cast(int, value)), count) for value, count in top]
        return self._profile(
            distinct,
            numbers.top_values(written, self.rows - self.nulls),
            dates=dates.statistics(ordered, now),
            histogram=dates.histogram(ordered),
        )

    def _written(self, microseconds: int) -> str:
        at = dates.moment(microseconds)
        return at.date().isoformat() if self.kind == "date" else at.replace(tzinfo=None).isoformat(sep=" ")


class WordSurvey(Survey):
    """A column of text, or of values that are only counted: booleans and times of day."""

    def __init__(self, name: str, kind: ColumnType, rows: int, options: ProfileOptions) -> None:
        super().__init__(name, kind, rows, options)
        self._tally = Tally()
        self._lengths = Lengths()
        self._sample: list[str] = []
        self._step = max(1, rows // SAMPLE)

    def add(self, start: int, text: pl.Series, typed: pl.Series) -> None:
        """Add the rows from `start` on."""
        values = text if self.kind == "text" else typed.cast(pl.String)
        counts = values.alias("value").value_counts(name="rows").drop_nulls("value")
        if self.kind == "text":
            counts = self._without_blanks(text, counts)
            sample = values.gather_every(self._step, offset=-start % self._step).drop_nulls().to_list()
            self._sample += [value for value in sample if value.strip()]
            self._lengths.add(counts["value"], counts["rows"].to_numpy())
        else:
            super().add(start, text, typed)
        self._tally.add(counts, more_to_come=start + len(text) < self.rows)

    def _without_blanks(self, text: pl.Series, counts: pl.DataFrame) -> pl.DataFrame:
        """Count cells without a value; give back the counts of the others."""
        filled = counts["value"].str.strip_chars() != ""
        blank = text.null_count()
        if not filled.all():
            blank += int(counts["rows"].filter(~filled).sum())
            counts = counts.filter(filled)
        self.blanks += blank
        self.nulls += blank
        return counts

    def told(self, now: datetime) -> ColumnProfile:
        """What is said of the column."""
        values = self.rows - self.nulls
        top = [(shown(value), count) for value, count in self._tally.top(self.options.top_values)]
        return self._profile(
            self._tally.distinct(),
            numbers.top_values(top, values),
            top_exact=not self._tally.lost,
            texts=self._lengths.told(self._sample),
        )


def survey_of(name: str, dtype: pl.DataType, rows: int, options: ProfileOptions) -> Survey:
    """The survey for a column of this Polars type."""
    if dtype.is_integer():
        return NumberSurvey(name, "integer", rows, options)
    if dtype.is_numeric():
        return NumberSurvey(name, "number", rows, options)
    if dtype == pl.Date:
        return DateSurvey(name, "date", rows, options)
    if dtype == pl.Datetime:
        return DateSurvey(name, "datetime", rows, options)
    if dtype == pl.Boolean:
        return WordSurvey(name, "boolean", rows, options)
    return WordSurvey(name, "time" if dtype == pl.Time else "text", rows, options)
