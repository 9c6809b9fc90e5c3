"""What may be asked of a batch, and what is told of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, Field, field_validator

from thetool.jobs.schemas import JobOut
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.report import Told
from thetool.web.schemas import Input

OutputFormat = Literal["csv", "parquet", "jsonl", "npy"]
Names = list[Annotated[str, Field(min_length=1, max_length=300)]]

MOST_ERRORS = 20
"""Rows whose errors are told with the job; all of them are in the file."""


class BatchOptions(Input):
    """How a file is read, asked and written; what is left out is found."""

    columns: Names | dict[str, str | Names] | None = Field(
        None,
        description="Which columns the model takes, in its order: names with commas between them, a JSON list, or of "
        "several inputs a JSON object with the columns of each. By default columns are taken by their names where they "
        "are those of inputs (`x`, or `x[0]`, `x[1]`, …) or of `feature_names` in the model's metadata, else in the "
        "order of the file.",
        examples=["sepal_length,sepal_width"],
    )
    keep_columns: Literal["all", "none"] | Names = Field(
        "all", description="Columns of the file that are written beside the predictions: `all`, `none`, or names."
    )
    output_format: OutputFormat | None = Field(
        None, description="What is written; by default what came, of .npy files with several outputs Parquet."
    )
    empty: Literal["error", "nan"] = Field(
        "error", description="What an empty cell is where a number with a fraction is taken: a row that fails, or NaN."
    )
    chunk_rows: int = Field(
        50_000,
        ge=1,
        le=1_000_000,
        description="Rows that are held in memory at a time, at most; fewer where they are long.",
    )
    encoding: str | None = Field(None, max_length=50, description="Of a text: its encoding, such as `windows-1252`.")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        None, description="Of a text: what stands between fields."
    )
    quote: Annotated[str, Field(max_length=1)] | None = Field(
        None, description='Of a text: what stands around fields; "" for nothing.'
    )
    header_row: int | None = Field(
        None, ge=0, description="Of a text: the line, counted from 1, with the names; 0: there are none."
    )
    decimal: Literal[".", ","] | None = Field(None, description="Of a text: the decimal mark of all numbers.")

    @field_validator("columns", mode="before")
    @classmethod
    def _columns(cls, value: Any) -> Any:
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            try:
                return orjson.loads(value)
            except orjson.JSONDecodeError as error:
                raise ValueError(f"is no JSON: {error}") from error
        return _listed(value)

    @field_validator("keep_columns", mode="before")
    @classmethod
    def _keep(cls, value: Any) -> Any:
        return value if value in ("all", "none") else _listed(value)

    def reading(self) -> ReadOptions:
        """How the text of a table is read."""
        return ReadOptions(
            encoding=self.encoding,
            delimiter=self.delimiter,
            quote=self.quote,
            header_row=self.header_row,
            decimal=self.decimal,
        )


def _listed(value: Any) -> Any:
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


class RowError(BaseModel):
    """A row that could not be predicted, and why."""

    row: int = Field(description="Counted from 1, without the line of the names.")
    error: Told


class BatchResult(BaseModel):
    """What became of a file."""

    file_id: UUID | None = Field(None, description="The stored result.")
    filename: str
    format: OutputFormat
    rows: int
    failed_rows: int = Field(description="Rows without a prediction; each has its reason in the column `_error`.")
    errors: list[RowError] = Field(description=f"The first {MOST_ERRORS} of these.")
    inputs: dict[str, list[Told]] = Field(description="The columns that each input took; empty where it took a value.")
    columns: list[Told] = Field(description="The columns of the result; empty where it has none.")
    size: int = Field(0, description="Bytes of the result.")
    notes: list[Told] = Field(description="How the file was read, where that was not plain.")
    model_seconds: float = Field(description="How long the model ran.")
    elapsed_seconds: float = Field(description="How long all of it took, from the first byte to the stored result.")


class ModelBatchOut(JobOut):
    """The job of a batch."""

    model_id: UUID
    model_name: str
    model_version: str
    rows: int | None = Field(None, description="How many rows there were; null until it is completed.")
    failed_rows: int | None = None
    download_url: str | None = Field(
        None, description="A signed link to the result, which needs no key; null when there is none, or no longer."
    )


class BatchesOut(BaseModel):
    """The batches of a model, newest first."""

    items: list[ModelBatchOut]
    next: str | None = Field(None, description="Address of the next page; null on the last.")
