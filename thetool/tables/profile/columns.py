"""A column, surveyed batch by batch, and what is said of it in the end: the part that all kinds of columns have."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from thetool.tables.profile.issue_schemas import Issue
from thetool.tables.profile.issues.of_columns import FirstRow
from thetool.tables.profile.schemas import (
    ColumnProfile,
    Distinct,
    ProfileOptions,
    Semantic,
    TopValue,
)
from thetool.tables.reading.report import ColumnType, ReadColumn

SAMPLE = 10_000


class Survey:
    """What every column is asked; the kinds of columns ask more."""

    def __init__(
        self, name: str, kind: ColumnType, rows: int, options: ProfileOptions, read: ReadColumn | None
    ) -> None:
        self.name = name
        self.kind = kind
        self.rows = rows
        self.options = options
        self.read = read
        self.nulls = 0
        self.untyped = read.untyped if read else 0

    @property
    def values(self) -> int:
        """Cells that are not empty."""
        return self.rows - self.nulls

    @property
    def blanks(self) -> int:
        """Cells that were read as nothing or as white space alone."""
        words = sum(rows for word, rows in self.read.null_words.items() if word) if self.read else 0
        return max(0, self.nulls - self.untyped - words)

    def add(self, start: int, values: pl.Series) -> None:
        """Add the rows from `start` on."""
        self.nulls += values.null_count()

    def told(self, now: datetime) -> ColumnProfile:
        """What is said of the column."""
        raise NotImplementedError

    def issues(self, column: ColumnProfile, first_row: FirstRow) -> list[Issue]:
        """What is wrong with it, beyond what any column may have; `column` is what was said of it."""
        return []

    def profile(
        self, semantic: Semantic, distinct: Distinct, top: list[TopValue], top_exact: bool = True, **more: Any
    ) -> ColumnProfile:
        """The column's profile, with what every column has."""
        return ColumnProfile(
            name=self.name,
            type=self.kind,
            semantic=semantic,
            nulls=self.nulls,
            null_share=self.nulls / self.rows if self.rows else 0,
            blanks=self.blanks,
            untyped=self.untyped,
            untyped_share=self.untyped / self.rows if self.rows else 0,
            distinct=distinct,
            unique=self.values > 0 and distinct.exact and distinct.count == self.values,
            top=top,
            top_exact=top_exact,
            **more,
        )

    def by_type(self) -> Semantic:
        """What values of this type mean, where there is no more to find out."""
        if not self.values:
            return Semantic(type="empty", share=1, fits=0, of=0, reason="It has no values.")
        kind: Any = self.kind.value
        return Semantic(type=kind, share=1, fits=self.values, of=self.values, reason="By the type it was read as.")
