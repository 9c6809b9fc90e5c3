"""What is wrong with a table, and what would mend it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

Severity = Literal["critical", "warning", "info"]
IssueCode = Literal[
    "footer_rows",
    "other_tables",
    "broken_encoding",
    "lost_characters",
    "mixed_types",
    "mixed_decimals",
    "untyped_values",
    "duplicate_rows",
    "repeated_keys",
    "invalid_values",
    "formulas",
    "null_words",
    "surrounding_whitespace",
    "inner_whitespace",
    "control_characters",
    "surrounding_junk",
    "case_variants",
    "inconsistent_case",
    "similar_categories",
    "future_dates",
    "missing_values",
    "empty_rows",
    "empty_column",
    "duplicate_column_names",
    "duplicate_columns",
    "constant_column",
    "outliers",
]
"""In the order in which a person should look at them, among those of one severity."""
Operation = Literal[
    "remove_duplicates",
    "remove_columns",
    "filter_rows",
    "fill_blanks",
    "change_column_type",
    "trim_whitespace",
    "change_text_casing",
    "standardize_values",
    "regex_replace",
    "handle_outliers",
    "is_duplicate",
    "validate_pattern",
    "repair_encoding",
    "replace_with_null",
]
"""Names of table operations. The registry of operations has these names and these names of parameters."""


class Mend(BaseModel):
    """An operation on the table that would mend it."""

    operation: Operation = Field(description="The operation's name.")
    parameters: dict[str, Any] = Field(description="Its parameters.")
    effect: str = Field(description="What it would do, in a sentence for people.")


class Reread(BaseModel):
    """Options by which the same file is read without it, or with less of it."""

    options: dict[str, Any] = Field(description="Options of `POST /analyze`, in addition to those of this reading.")
    effect: str = Field(description="What they would do, in a sentence for people.")


class Example(BaseModel):
    """One cell that shows it."""

    row: int = Field(ge=1, description="The row, counted from 1.")
    column: str = Field(description="The column.")
    value: str = Field(description="The value as text, cut after 200 characters with `…`.")


class Issue(BaseModel):
    """Something that a person should look at."""

    code: IssueCode = Field(description="What it is; stable.")
    severity: Severity = Field(
        description="`critical`: results would be wrong; `warning`: they may be; `info`: good to know."
    )
    columns: list[str] = Field(description="The columns that it is about; none where it is about whole rows.")
    rows: int = Field(ge=0, description="Rows affected.")
    share: float = Field(ge=0, le=1, description="Rows affected, of all rows.")
    example: Example | None = Field(description="One cell that shows it; null where no single cell does.")
    message: str = Field(description="What it is, in a sentence for people.")
    mend: Mend | None = Field(description="The operation that would mend it; null where only a person can.")
    reread: Reread | None = Field(None, description="How to read the file anew without it; null where that is no help.")
