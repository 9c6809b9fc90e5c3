"""Reading what a test writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from thetool.tables.reading.names import ROW
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.report import ReadColumn, Reading
from thetool.tables.reading.table import read_table


@dataclass
class Read:
    """A reading, with the two tables that it left."""

    reading: Reading
    text: pl.DataFrame
    typed: pl.DataFrame

    def texts(self) -> list[tuple[str | None, ...]]:
        """The rows, as text, without their numbers."""
        return self.text.drop(ROW).rows()

    def values(self, column: str) -> list[Any]:
        return self.typed[column].to_list()

    def column(self, name: str) -> ReadColumn:
        return next(column for column in self.reading.columns if column.name == name)

    def codes(self) -> set[str]:
        return {note.code for note in self.reading.notes}


Reader = Callable[..., Read]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Read bytes or a text (as UTF-8); keywords are options."""

    def run(content: bytes | str, filename: str | None = None, **options: Any) -> Read:
        source, folder = tmp_path / "source", tmp_path / "folder"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        folder.mkdir(exist_ok=True)
        reading = read_table(source, folder, ReadOptions.model_validate(options), filename=filename)
        found = Read(reading, pl.read_parquet(folder / "text.parquet"), pl.read_parquet(folder / "typed.parquet"))
        assert sorted(path.name for path in folder.iterdir()) == ["text.parquet", "typed.parquet"]
        assert found.text.columns == found.typed.columns == [ROW, *(column.name for column in reading.columns)]
        assert found.text[ROW].to_list() == found.typed[ROW].to_list() == list(range(1, reading.rows + 1))
        return found

    return run
