"""Tables as `read_table` leaves them, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Made = Callable[..., Path]
Texts = dict[str, list[str | None]]


def write(folder: Path, columns: dict[str, Any], text: Texts | None = None) -> Path:
    """Write `typed.parquet` of `columns`, and `text.parquet` of the same as text, or as `text` has it."""
    typed = pl.DataFrame(columns).with_row_index("_row", offset=1).cast({"_row": pl.Int64})
    written = typed.with_columns(pl.exclude("_row").cast(pl.String))
    for name, cells in (text or {}).items():
        written = written.with_columns(pl.Series(name, cells, dtype=pl.String))
    folder.mkdir(parents=True, exist_ok=True)
    typed.write_parquet(folder / "typed.parquet", row_group_size=50_000)
    written.write_parquet(folder / "text.parquet", row_group_size=50_000)
    return folder


@pytest.fixture
def table(tmp_path: Path) -> Made:
    """A function that writes a table."""

    def made(columns: dict[str, Any], text: Texts | None = None) -> Path:
        return write(tmp_path / "table", columns, text)

    return made
