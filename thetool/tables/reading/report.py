"""What is told of a file that was read: every choice, with its reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

Told = Annotated[str, AfterValidator(lambda text: text.replace("\0", "").encode("utf-8", "replace").decode())]
"""Text of a file, without what JSON and Postgres do not take: NULs, and halves of characters."""


class Format(StrEnum):
    """What a file is."""

    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    JSON = "json"
    JSONL = "jsonl"
    XLSX = "xlsx"
    ODS = "ods"


class ColumnType(StrEnum):
    """What the values of a column are; beside each, the Polars type in `typed.parquet`."""

    TEXT = "text"  # String
    INTEGER = "integer"  # Int64
    NUMBER = "number"  # Float64
    BOOLEAN = "boolean"  # Boolean
    DATE = "date"  # Date
    DATETIME = "datetime"  # Datetime("us"), with the time zone UTC when the texts have offsets
    TIME = "time"  # Time


class Choice(BaseModel):
    """One thing that was chosen for this file."""

    value: str | int | None
    reason: str = Field(description="Why, in a sentence.")
    asked: bool = Field(False, description="Whether the request said so.")


class Lines(BaseModel):
    """Lines before or after the table, kept as they are."""

    first_line: int = Field(description="The line (row of a sheet) of the first of them, from 1.")
    count: int
    text: list[Told] = Field(description="The lines; the first 100 of them, and of each the first 1,000 characters.")


class Sheet(BaseModel):
    """A sheet of a spreadsheet."""

    name: Told


class OtherTable(BaseModel):
    """A further table in the same file, which was not read: ask for it with `header_row`, and `last_row`."""

    first_line: int
    last_line: int
    columns: int
    names: list[Told] = Field(description="Its first row.")


class UntypedExample(BaseModel):
    """A value, and where it stands."""

    row: int = Field(description="As in `_row`, from 1.")
    text: Told


class ReadColumn(BaseModel):
    """One column, and how it was read."""

    name: str
    original_name: Told | None = Field(description="As the file has it; null when it has none.")
    type: ColumnType
    reason: str = Field(description="Why it has this type, in a sentence.")
    asked: bool = Field(False, description="Whether the request said so.")
    empty: int = Field(0, description="Rows without a value in the file.")
    null_words: dict[str, int] = Field(default_factory=dict, description="Words that were read as null, and how often.")
    null_words_asked: bool = Field(False, description="Whether the request said which words stand for nothing.")
    untyped: int = Field(0, description="Values that do not fit the type: null in typed.parquet, kept in text.parquet.")
    untyped_examples: list[UntypedExample] = Field(default_factory=list)
    decimal: str | None = Field(None, description="The decimal mark, where numbers have one.")
    thousands: list[str] = Field(default_factory=list, description="What stands between thousands.")
    percent: bool = Field(False, description='Whether values have a percent sign: "12.5 %" is read as 12.5.')
    currencies: dict[str, int] = Field(default_factory=dict, description="Signs of currency, and how often.")
    date_order: str | None = Field(None, description="dmy, mdy or ymd.")
    date_formats: dict[str, int] = Field(default_factory=dict, description="Forms of dates (strftime), and how often.")
    true_words: list[str] = Field(default_factory=list)
    false_words: list[str] = Field(default_factory=list)


class ReadingNote(BaseModel):
    """Something that people should know about how the file was read."""

    code: str = Field(description="Stable, for programs: `short_rows`, say.")
    message: Told
    count: int | None = Field(None, description="How many rows, lines, cells or columns it is about.")


class Reading(BaseModel):
    """How a file was read."""

    filename: str | None
    bytes: int = Field(description="The size of the file as it came.")
    unpacked: Choice | None = Field(None, description="gzip or zip, when it came packed.")
    format: Choice
    sheet: Choice | None = None
    sheets: list[Sheet] = Field(default_factory=list)
    encoding: Choice | None = None
    delimiter: Choice | None = None
    quote: Choice | None = None
    header: Choice = Field(description="The line with the names, from 1; 0 when there is none.")
    preamble: Lines | None = None
    footer: Lines | None = None
    other_tables: list[OtherTable] = Field(default_factory=list)
    rows: int
    columns: list[ReadColumn]
    notes: list[ReadingNote] = Field(default_factory=list)
