"""What may be asked of the reading; all that is left out is found."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from thetool.tables.reading.report import ColumnType, Format

DateOrder = Literal["dmy", "mdy", "ymd"]


class ColumnOptions(BaseModel):
    """How one column is read."""

    model_config = ConfigDict(extra="forbid")

    type: ColumnType | None = Field(None, description="Its type. What does not fit it is counted, and null.")
    decimal: Literal[".", ","] | None = Field(None, description="The decimal mark of its numbers.")
    date_order: DateOrder | None = Field(None, description="Which comes first in its dates: day, month or year.")
    null_words: list[str] | None = Field(None, description="Words that stand for nothing, in place of those we know.")


class ReadOptions(BaseModel):
    """How a file is read; nothing set: all is found."""

    model_config = ConfigDict(extra="forbid")

    format: Format | None = Field(None, description="The format; by default told by content and name.")
    sheet: str | None = Field(None, description="The sheet of a spreadsheet; by default the first with a table.")
    encoding: str | None = Field(None, max_length=50, description="The encoding, such as `windows-1252`.")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(None, description="Between fields.")
    quote: Annotated[str, Field(max_length=1)] | None = Field(None, description='Around fields; "" for none.')
    header_row: int | None = Field(
        None, ge=0, description="The line (row of a sheet), counted from 1, with the names; 0: there are none."
    )
    last_row: int | None = Field(None, ge=1, description="The last line (row of a sheet) of the table.")
    decimal: Literal[".", ","] | None = Field(None, description="The decimal mark of all numbers.")
    date_order: DateOrder | None = Field(None, description="Which comes first in all dates.")
    null_words: list[str] | None = Field(None, max_length=100, description="Words that stand for nothing.")
    as_text: bool = Field(False, description="Type nothing: every column is text.")
    columns: dict[str, ColumnOptions] = Field(default_factory=dict, description="By the column's name in the reading.")
