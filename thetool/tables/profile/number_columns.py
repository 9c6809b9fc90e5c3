"""Surveys of columns of numbers and of dates: their values are kept to the end, 8 bytes each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import numpy as np
import polars as pl

from thetool.tables.profile import dates, numbers
from thetool.tables.profile.columns import Survey
from thetool.tables.profile.issue_schemas import Issue
from thetool.tables.profile.issues.of_columns import FirstRow, of_dates, of_keys, of_numbers
from thetool.tables.profile.schemas import ColumnProfile, Numbers, Semantic
from thetool.tables.profile.semantics.numbers import Facts, meaning
from thetool.tables.reading.report import ColumnType

_CHECKED = 1_000


class ValueSurvey(Survey):
    """A column whose values have an order and a distance."""

    _parts: list[pl.Series]

    def keep(self, values: pl.Series) -> None:
        """Keep the values of a batch."""
        self._parts = [*getattr(self, "_parts", []), values]

    def kept(self) -> tuple[numbers.Values, numbers.Values | None]:
        """The values and, if some cells are empty, their rows (from 1). They are kept no longer."""
        whole = self._parts[0] if len(self._parts) == 1 else pl.concat(self._parts)
        self._parts = []
        if not self.nulls:
            return whole.to_numpy(), None
        return whole.drop_nulls().to_numpy(), np.flatnonzero(whole.is_not_null().to_numpy()) + 1


class NumberSurvey(ValueSurvey):
    """A column of numbers."""

    def add(self, start: int, values: pl.Series) -> None:
        """Add the rows from `start` on."""
        super().add(start, values)
        self.keep(values)

    def told(self, now: datetime) -> ColumnProfile:
        """What is said of the column."""
        values, rows = self.kept()
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
        return self.profile(
            self._meaning(values, said, distinct.count),
            distinct,
            numbers.top_values(top, self.values),
            numbers=said,
            histogram=numbers.histogram(ordered),
            outliers=numbers.outliers(values, ordered, rows, said, self.options.examples),
        )

    def _meaning(self, values: numbers.Values, said: Numbers, distinct: int) -> Semantic:
        whole = self.kind is ColumnType.INTEGER
        sample = values[:: max(1, len(values) // _CHECKED)].tolist() if whole and (said.min or 0) >= 10**12 else []
        percent = self.read is not None and self.read.percent
        money = self.read is not None and bool(self.read.currencies)
        return meaning(Facts(self.name, whole, len(values), distinct, said, percent, money, sample))

    def issues(self, column: ColumnProfile, first_row: FirstRow) -> list[Issue]:
        """Outliers, keys that come twice."""
        return [*of_numbers(column, self.rows), *of_keys(column, self.rows, first_row)]


class DateSurvey(ValueSurvey):
    """A column of dates or points in time."""

    _latest_row: int | None = None
    _now: datetime

    def add(self, start: int, values: pl.Series) -> None:
        """Add the rows from `start` on, as microseconds since 1970."""
        super().add(start, values)
        self.keep((values.cast(pl.Datetime("us")) if values.dtype == pl.Date else values).to_physical())

    def told(self, now: datetime) -> ColumnProfile:
        """What is said of the column."""
        self._now = now
        values, rows = self.kept()
        ordered = np.sort(values)
        distinct, top = numbers.distinct_and_top(ordered, self.options.top_values)
        written = [(self._written(cast(int, value)), count) for value, count in top]
        said = dates.statistics(ordered, now)
        if said is not None and said.future:
            place = int(values.argmax())
            self._latest_row = place + 1 if rows is None else int(rows[place])
        return self.profile(
            self.by_type(),
            distinct,
            numbers.top_values(written, self.values),
            dates=said,
            histogram=dates.histogram(ordered),
        )

    def _written(self, microseconds: int) -> str:
        at = dates.moment(microseconds)
        return at.date().isoformat() if self.kind is ColumnType.DATE else at.replace(tzinfo=None).isoformat(sep=" ")

    def issues(self, column: ColumnProfile, first_row: FirstRow) -> list[Issue]:
        """Dates in the future."""
        today = self._now.astimezone(UTC).date().isoformat()
        return of_dates(column, self.rows, self._latest_row, today)
