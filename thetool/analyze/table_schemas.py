"""What is answered of a table."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from thetool.analyze.analysis import Analysis, Findings
from thetool.tables.market.report import Market
from thetool.tables.profile.schemas import Profile
from thetool.tables.reading.report import Reading


class Preview(BaseModel):
    """The first rows as the file has them, before anything was typed."""

    columns: list[str] = Field(description="Names of the columns that are shown: the first ones.")
    rows: list[list[str | None]] = Field(
        description="The first rows, a cell for each of `columns`; null where the file has nothing. A long cell is "
        "cut, and ends with `…`."
    )


class TableResult(Findings):
    """How a table was read and what is in it; analyses that were not asked for, or do not fit, are left out."""

    reading: Reading = Field(description="How the file was read: each choice with its reason.")
    preview: Preview
    profile: Profile | None = Field(default=None, description="What is in each column, and what is wrong with it.")
    market: Market | None = Field(default=None, description="Indicators and verdicts, where the table holds prices.")


class TableAnalysis(Analysis):
    """A finished analysis of a table."""

    kind: Literal["table"] = "table"
    result: TableResult
