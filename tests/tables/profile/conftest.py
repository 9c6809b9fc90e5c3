"""Tables as `read_table` leaves them, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from thetool.tables.profile.schemas import Profile
from thetool.tables.profile.table import profile_table
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.report import Choice, ColumnType, ReadColumn, Reading
from thetool.tables.reading.table import read_table

Texts = dict[str, list[str | None]]
Profiled = Callable[..., Profile]
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def write(folder: Path, columns: dict[str, Any], text: Texts | None = None) -> Reading:
    """Write `typed.parquet` of `columns`, and `text.parquet` of the same as text, or as `text` has it."""
    typed = pl.DataFrame(columns).with_row_index("_row", offset=1).cast({"_row": pl.Int64})
    written = typed.with_columns(pl.exclude("_row").cast(pl.String))
    for name, cells in (text or {}).items():
        written = written.with_columns(pl.Series(name, cells, dtype=pl.String))
    folder.mkdir(parents=True, exist_ok=True)
    typed.write_parquet(folder / "typed.parquet", row_group_size=50_000)
    written.write_parquet(folder / "text.parquet", row_group_size=50_000)
    read = [
        ReadColumn(name=name, original_name=name, type=ColumnType.TEXT, reason="Made by hand.")
        for name in typed.columns[1:]
    ]
    chosen = Choice(value="csv", reason="Made by hand.")
    return Reading(filename=None, bytes=0, format=chosen, header=chosen, rows=typed.height, columns=read)


@pytest.fixture
def profiled(tmp_path: Path) -> Profiled:
    """The profile of a table that is made of columns."""

    def profile(columns: dict[str, Any], text: Texts | None = None, **more: Any) -> Profile:
        reading = write(tmp_path / "table", columns, text)
        return profile_table(tmp_path / "table", reading, now=NOW, **more)

    return profile


@pytest.fixture
def profiled_file(tmp_path: Path) -> Profiled:
    """The profile of a file's text, read as any file is."""

    def profile(content: str | bytes, options: ReadOptions | None = None, **more: Any) -> Profile:
        source = tmp_path / "table.csv"
        source.write_bytes(content if isinstance(content, bytes) else content.encode())
        reading = read_table(source, tmp_path, options, filename="table.csv")
        return profile_table(tmp_path, reading, now=NOW, **more)

    return profile
