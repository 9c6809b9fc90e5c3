"""Rows that come more than once.

Each row gets a 64-bit hash of its texts, column by column. Rows with a hash of their own are different for sure; the
others are read again and compared, if they are not more than `COMPARED`.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thetool.tables.profile.schemas import DuplicateRows
from thetool.tables.profile.source import ROW, Source

COMPARED = 200_000
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio: Knuth's multiplicative hashing


class RowHashes:
    """One hash for each row, grown column by column."""

    def __init__(self, rows: int) -> None:
        self.hashes: NDArray[np.uint64] = np.zeros(rows, dtype=np.uint64)

    def add(self, start: int, column: pl.Series) -> None:
        """Add a column's texts from row `start` on."""
        part = self.hashes[start : start + len(column)]
        part ^= part >> np.uint64(29)
        part *= _MULTIPLIER
        part += column.hash(seed=3).to_numpy()

    def duplicates(self, source: Source) -> tuple[DuplicateRows, int | None]:
        """How many rows repeat an earlier one, and the first of them (from 1)."""
        ordered = np.sort(self.hashes)
        again = ordered[1:] == ordered[:-1]
        count = int(again.sum())
        if not count:
            return DuplicateRows(count=0, exact=True, method="64-bit hashes of the rows, all of them different"), None
        repeated = np.unique(ordered[1:][again])
        at = np.flatnonzero(np.isin(self.hashes, repeated))
        if len(at) > COMPARED or len(at) * len(source.types) > 50 * COMPARED:
            first = at[np.sort(np.unique(self.hashes[at], return_index=True)[1])]
            repeats = np.setdiff1d(at, first)
            chance = len(self.hashes) ** 2 / 2**65
            method = f"64-bit hashes of the rows; the chance that two different ones share theirs is {chance:.0e}"
            return DuplicateRows(count=count, exact=False, method=method), int(repeats[0]) + 1
        rows = pl.scan_parquet(source.text).filter(pl.col(ROW).is_in((at + 1).tolist())).sort(ROW).collect()
        same = rows.filter(~pl.struct(list(source.types)).is_first_distinct())[ROW]
        method = "64-bit hashes of the rows; those that share one were compared"
        found = DuplicateRows(count=len(same), exact=True, method=method)
        return found, int(same[0]) if len(same) else None
