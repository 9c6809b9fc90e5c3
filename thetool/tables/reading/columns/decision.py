"""What was decided of a column, and how its values are had from its text."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from thetool.tables.reading.report import ColumnType

if TYPE_CHECKING:
    import polars as pl

    from thetool.tables.reading.columns.shapes import Look

ENOUGH = 0.9
"""A column has a type when this share of its values fits it; words for nothing do not count."""

Counts = dict[str, int]
Asking = Generator["dict[str, pl.Expr]", Counts, "Decision"]
"""Asks for counts over the whole column (each an expression that is summed), once or more, and ends with a decision."""


@dataclass(frozen=True)
class Question:
    """A column that is to be decided on: its text, a look at a sample of it, and what was asked for."""

    name: str
    column: pl.Expr
    look: Look
    values: int
    nulls: frozenset[str]
    asked: ColumnType | None = None
    decimal: str | None = None
    order: str | None = None

    def is_nothing(self) -> pl.Expr:
        """Where the text is a word for null."""
        return is_nothing(self.column, self.nulls)


def is_nothing(column: pl.Expr, nulls: frozenset[str]) -> pl.Expr:
    """Where a text is one of the words for null, in small or capital letters."""
    return column.str.strip_chars().str.to_lowercase().is_in(sorted(nulls))


@dataclass
class Decision:
    """A type, the reason, and the expression that makes its values from a column of texts."""

    type: ColumnType
    reason: str
    value: Callable[[pl.Expr], pl.Expr] = lambda text: text
    asked: bool = False
    nulls: frozenset[str] = frozenset()
    nulls_asked: bool = False
    values: int = 0  # that are not null in the file
    fits: int = 0
    null_words: int = 0
    decimal: str | None = None
    thousands: list[str] = field(default_factory=list)
    percent: bool = False
    has_signs: bool = False  # of currency
    date_order: str | None = None
    date_formats: dict[str, int] = field(default_factory=dict)
    true_words: list[str] = field(default_factory=list)
    false_words: list[str] = field(default_factory=list)
    otherwise: Decision | None = None
    """What it would be just as well: `settling` settles it, and ends the reason."""
    guessed: bool = False
    """Whether nothing in the file says that it is this, and not what it would be otherwise."""

    @property
    def untyped(self) -> int:
        """Values that are neither nothing nor of the type."""
        return 0 if self.type is ColumnType.TEXT else max(0, self.values - self.fits - self.null_words)


def text(reason: str, values: int = 0) -> Decision:
    """The decision to leave it as it is."""
    return Decision(ColumnType.TEXT, reason, values=values, fits=values)


def share_told(fits: int, values: int, what: str) -> str:
    """`All 12 values are whole numbers.`"""
    if fits == values:
        return f"All {values:,} values are {what}." if values > 1 else f"Its one value is of this kind: {what}."
    return f"{fits:,} of {values:,} values are {what}."
