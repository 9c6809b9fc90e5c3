"""What a profile says. It goes into the answer of the API as it is, so each field says what it means."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from thetool.tables.profile.issue_schemas import Issue
from thetool.tables.reading.report import ColumnType

SemanticType = Literal[
    "email",
    "phone",
    "url",
    "uuid",
    "json",
    "iban",
    "payment_card",
    "isbn",
    "ip_address",
    "mac_address",
    "country",
    "country_code",
    "state",
    "currency",
    "currency_code",
    "percentage",
    "postal_code",
    "latitude",
    "longitude",
    "coordinates",
    "year",
    "date",
    "datetime",
    "time",
    "boolean",
    "identifier",
    "category",
    "name",
    "measure",
    "free_text",
    "text",
    "empty",
]


class ProfileOptions(BaseModel):
    """What to look for beyond the usual."""

    correlations: bool = Field(False, description="Correlate the columns of numbers with each other.")
    top_values: int = Field(10, ge=1, le=100, description="How many of the most frequent values to list.")
    examples: int = Field(5, ge=1, le=50, description="How many outliers to show with their rows.")


class Distinct(BaseModel):
    """How many different values there are; empty cells are none."""

    count: int = Field(ge=0, description="Different values.")
    exact: bool = Field(description="Whether they were counted; else `count` is an estimate.")
    method: str = Field(description="How it was found; for an estimate, with its standard error.")


class TopValue(BaseModel):
    """One of the most frequent values."""

    value: str = Field(description="The value as text, cut after 200 characters with `…`.")
    count: int = Field(ge=1, description="Rows that have it; the least number where `top_exact` is false.")
    share: float = Field(ge=0, le=1, description="Of the cells that are not empty.")


class Histogram(BaseModel):
    """Equal parts of the range of the values, and how many values are in each.

    The parts of whole numbers and of days begin at whole ones, so the last may end beyond the largest value.
    """

    edges: list[float] | list[datetime] = Field(
        description="One more than there are counts. A bin holds its lower edge, the last one its upper edge too."
    )
    counts: list[int] = Field(description="Values in each bin.")


class Numbers(BaseModel):
    """What was counted of a column of numbers. NaN and infinite values are left out of all but `not_finite`."""

    min: int | float | None = Field(description="The smallest value.")
    max: int | float | None = Field(description="The largest value.")
    mean: float | None = Field(description="Arithmetic mean.")
    sum: int | float | None = Field(description="Sum.")
    std: float | None = Field(description="Standard deviation of a sample (n - 1); null for fewer than two values.")
    q1: float | None = Field(description="First quartile, interpolated linearly.")
    median: float | None = Field(description="Median.")
    q3: float | None = Field(description="Third quartile, interpolated linearly.")
    skew: float | None = Field(
        description="Skewness, corrected for bias (adjusted Fisher-Pearson, G1); null for fewer than three values or "
        "where all are the same."
    )
    zeros: int = Field(ge=0, description="Values that are 0.")
    negative: int = Field(ge=0, description="Values below 0.")
    not_finite: int = Field(ge=0, description="NaN and infinite values.")


class Dates(BaseModel):
    """What was counted of a column of dates or of points in time."""

    earliest: datetime = Field(description="The first one.")
    latest: datetime = Field(description="The last one.")
    median: datetime = Field(description="The middle one; the earlier of two, if their number is even.")
    span_days: float = Field(ge=0, description="Days from the first to the last.")
    future: int = Field(ge=0, description="Those after the end of today (UTC).")


class Pattern(BaseModel):
    """A form that values have: `A` for a capital letter, `a` for a small one, `9` for a digit."""

    pattern: str = Field(
        description="The form of its first 40 characters; `A+`, `a+`, `9+` for runs over four. All else is itself."
    )
    count: int = Field(ge=1, description="Values that have it, of those looked at.")
    share: float = Field(ge=0, le=1, description="Of the values looked at.")
    example: str = Field(description="The first value of that form.")


class Texts(BaseModel):
    """What was counted of a column of text."""

    shortest: int = Field(ge=0, description="Characters of the shortest value.")
    longest: int = Field(ge=0, description="Characters of the longest value.")
    mean_length: float = Field(ge=0, description="Characters of a value, on average.")
    patterns: list[Pattern] = Field(description="The most frequent forms.")
    patterns_of: int = Field(ge=0, description="Values looked at for patterns: all, or evenly spread ones.")


class OutlierExample(BaseModel):
    """A value far from the others."""

    row: int = Field(ge=1, description="Its row, counted from 1.")
    value: float = Field(description="The value.")


class Outliers(BaseModel):
    """Values far from the others."""

    method: str = Field(description="How they were found.")
    low: float = Field(description="Values below this are outliers.")
    high: float = Field(description="Values above this are outliers.")
    count: int = Field(ge=0, description="How many there are.")
    examples: list[OutlierExample] = Field(description="The farthest ones.")


class Semantic(BaseModel):
    """What the values mean."""

    type: SemanticType = Field(description="What the values are; `text` or `measure` where no more can be said.")
    share: float = Field(ge=0, le=1, description="Share of the values looked at that fit.")
    fits: int = Field(ge=0, description="Values that fit.")
    of: int = Field(ge=0, description="Values looked at: all that are not empty, or evenly spread ones.")
    reason: str = Field(description="How it was decided.")


class ColumnProfile(BaseModel):
    """What is in one column. A cell is empty where nothing was read, or a word for nothing such as `n/a`."""

    name: str = Field(description="The column's name.")
    type: ColumnType = Field(description="The type that its values were read as.")
    semantic: Semantic = Field(description="What the values mean, decided by the values.")
    nulls: int = Field(ge=0, description="Cells without a value: empty, words for nothing, not typed.")
    null_share: float = Field(ge=0, le=1, description="Of the rows.")
    blanks: int = Field(ge=0, description="Cells that were read as nothing or as white space alone; part of `nulls`.")
    untyped: int = Field(ge=0, description="Cells with a value that did not fit the column's type; part of `nulls`.")
    untyped_share: float = Field(0, ge=0, le=1, description="Of the rows; part of `null_share`.")
    distinct: Distinct = Field(description="Different values.")
    unique: bool = Field(description="Whether no value comes twice (empty cells aside).")
    top: list[TopValue] = Field(
        description="The most frequent values; of numbers and dates none if no two are the same."
    )
    top_exact: bool = Field(description="Whether the counts of `top` are exact; else they are the least possible.")
    numbers: Numbers | None = Field(None, description="For numbers.")
    dates: Dates | None = Field(None, description="For dates.")
    texts: Texts | None = Field(None, description="For text.")
    histogram: Histogram | None = Field(None, description="For numbers and dates: 20 bins or fewer.")
    outliers: Outliers | None = Field(None, description="For numbers: what lies beyond the fences.")


class DuplicateRows(BaseModel):
    """Rows that are the same as an earlier one in every column, as they were read."""

    count: int = Field(ge=0, description="Such rows; the first of each kind is not counted.")
    exact: bool = Field(description="Whether they were compared; else they were told apart by a hash.")
    method: str = Field(description="How they were found.")


class Correlation(BaseModel):
    """How two columns of numbers go together, over the rows that have both."""

    columns: tuple[str, str] = Field(description="The two columns.")
    pairs: int = Field(ge=0, description="Rows that have both numbers.")
    pearson: float | None = Field(description="Pearson's r; null for fewer than three rows or where one is constant.")
    spearman: float | None = Field(description="Spearman's rho: Pearson's r of the ranks (ties: mean rank).")


class Profile(BaseModel):
    """What is in a table."""

    rows: int = Field(ge=0, description="Rows of data.")
    columns: int = Field(ge=0, description="Columns.")
    cells_empty: int = Field(ge=0, description="Cells without a value, all columns together.")
    cells_untyped: int = Field(
        0, ge=0, description="Cells whose value did not fit their column's type; part of `cells_empty`."
    )
    duplicate_rows: DuplicateRows = Field(description="Rows that come more than once.")
    memory_bytes: int = Field(ge=0, description="What the typed values take in memory (Apache Arrow), about.")
    column_profiles: list[ColumnProfile] = Field(description="The columns, in their order.")
    issues: list[Issue] = Field(description="What a person should look at, the gravest first.")
    correlations: list[Correlation] | None = Field(None, description="On request: each pair of columns of numbers.")
    notes: list[str] = Field(description="What was not done, or not for every value, in words for people.")
