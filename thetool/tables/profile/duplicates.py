"""Rows that come more than once, rows that are empty, columns that are the same.

Each row gets a 64-bit hash of its values, column by column. Rows with a hash of their own are different for sure; the
others are read again and compared, if they are not more than `COMPARED`.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thetool.tables.profile.schemas import DuplicateRows
from thetool.tables.profile.source import Source

COMPARED = 200_000
_CELLS = 5_000_000
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio: Knuth's multiplicative hashing


class RowHashes:
    """One hash for each row, grown column by column, and one for each column."""

    def __init__(self, rows: int) -> None:
        self.hashes: NDArray[np.uint64] = np.zeros(rows, dtype=np.uint64)
        self.columns: dict[str, int] = {}
        self._empty: NDArray[np.bool_] | None = np.ones(rows, dtype=np.bool_)

    def add(self, start: int, columns: pl.DataFrame) -> None:
        """Add some columns from row `start` on."""
        hashed = columns.select(pl.all().hash(seed=3))
        end = start + columns.height
        places = np.arange(2 * start + 1, 2 * end + 1, 2, dtype=np.uint64)
        for name in columns.columns:
            hashes = hashed[name].to_numpy()
            _grow(self.hashes[start:end], hashes)
            self.columns[name] = (self.columns.get(name, 0) + int(np.dot(hashes, places))) % 2**64
            if self._empty is not None:
                self._look_for_empty(start, columns[name])

    def _look_for_empty(self, start: int, column: pl.Series) -> None:
        if self._empty is None:
            return
        if not column.null_count() and len(column) == len(self._empty):
            self._empty = None  # a column without gaps: no row is empty
        else:
            self._empty[start : start + len(column)] &= column.is_null().to_numpy()

    def empty_rows(self) -> tuple[int, int | None]:
        """How many rows have nothing in any column, and the first of them (from 1)."""
        count = int(self._empty.sum()) if self._empty is not None else 0
        return count, int(self._empty.argmax()) + 1 if count and self._empty is not None else None

    def duplicates(self, source: Source) -> tuple[DuplicateRows, int | None]:
        """How many rows repeat an earlier one, and the first of them (from 1)."""
        ordered = np.sort(self.hashes)
        again = ordered[1:] == ordered[:-1]
        count = int(again.sum())
        if not count:
            return DuplicateRows(count=0, exact=True, method="64-bit hashes of the rows, all of them different"), None
        repeated = np.unique(ordered[1:][again])
        del ordered
        at = np.flatnonzero(np.isin(self.hashes, repeated))
        if len(at) > COMPARED or len(at) * len(source.types) > _CELLS:
            firsts = at[np.unique(self.hashes[at], return_index=True)[1]]
            later = np.setdiff1d(at, firsts)
            chance = len(self.hashes) ** 2 / 2**65
            method = f"64-bit hashes of the rows; the chance that two different ones share theirs is {chance:.0e}"
            return DuplicateRows(count=count, exact=False, method=method), int(later[0]) + 1
        same = source.repeats((at + 1).tolist())
        method = "64-bit hashes of the rows; those that share one were compared"
        return DuplicateRows(count=len(same), exact=True, method=method), int(same[0]) if len(same) else None

    def same_columns(self, source: Source) -> list[list[str]]:
        """Groups of columns with the same value in each row."""
        by_hash: dict[int, list[str]] = {}
        for name, digest in self.columns.items():
            by_hash.setdefault(digest, []).append(name)
        return [names for names in by_hash.values() if len(names) > 1 and source.same(names)]


def _grow(hashes: NDArray[np.uint64], column: NDArray[np.uint64]) -> None:
    """Mix a column's hashes into those of the rows, so that the order of the columns counts."""
    hashes ^= hashes >> np.uint64(29)
    hashes *= _MULTIPLIER
    hashes += column
