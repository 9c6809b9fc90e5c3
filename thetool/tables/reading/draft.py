"""What a reader of one format hands over: `text.parquet` is written, and this is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from thetool.tables.reading.report import Choice, ColumnType, Lines, OtherTable, ReadingNote, Sheet

if TYPE_CHECKING:
    from thetool.tables.reading.sink import Written


@dataclass
class Draft:
    """A reading before its columns have types."""

    header: Choice
    names: list[str]
    originals: list[str | None]
    encoding: Choice | None = None
    delimiter: Choice | None = None
    quote: Choice | None = None
    sheet: Choice | None = None
    sheets: list[Sheet] = field(default_factory=list)
    preamble: Lines | None = None
    footer: Lines | None = None
    other_tables: list[OtherTable] = field(default_factory=list)
    notes: list[ReadingNote] = field(default_factory=list)
    text: Written | None = None
    declared: dict[str, ColumnType] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    """Columns that stay text unless a type is asked for, and why."""
