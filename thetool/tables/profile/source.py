"""The two files of a reading, a few columns and at most a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from thetool.tables.profile.tally import BATCH

CELLS = 2_000_000
ROW = "_row"


@dataclass
class Tile:
    """Some rows of some columns, as text and typed."""

    start: int
    text: pl.DataFrame
    typed: pl.DataFrame


class Source:
    """`text.parquet` and `typed.parquet` of a folder; `_row` is no column of theirs."""

    def __init__(self, folder: Path) -> None:
        self.text = folder / "text.parquet"
        self.typed = folder / "typed.parquet"
        schema = pl.read_parquet_schema(self.typed)
        self.types = {name: kind for name, kind in schema.items() if name != ROW}
        self.rows = int(pl.scan_parquet(self.typed).select(pl.len()).collect().item())

    def groups(self) -> Iterator[list[str]]:
        """The columns in groups that are read together: many of a short table, one of a long one."""
        names = list(self.types)
        size = max(1, CELLS // max(1, self.rows))
        for start in range(0, len(names), size):
            yield names[start : start + size]

    def tiles(self, names: list[str]) -> Iterator[Tile]:
        """All rows of these columns, at most `BATCH` at a time."""
        for start in range(0, max(1, self.rows), BATCH):
            yield Tile(start, self._read(self.text, names, start), self._read(self.typed, names, start))

    def _read(self, path: Path, names: list[str], start: int) -> pl.DataFrame:
        if self.rows <= BATCH:
            return pl.read_parquet(path, columns=names)
        return pl.scan_parquet(path).select(names).slice(start, BATCH).collect()
