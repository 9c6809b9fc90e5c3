"""How often each text comes, in bounded memory.

A table of up to `BATCH` rows is counted exactly. A longer one is counted batch by batch; past `KEPT` different values
only the frequent ones are kept (Misra and Gries 1982, merged as in Agarwal et al. 2013), so that a count is too low by
at most `lost`, and the number of different values is estimated from the `SKETCH` smallest of their hashes (k minimum
values, Beyer et al. 2007; standard error 1/√(k - 2)).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from thetool.tables.profile.schemas import Distinct

BATCH = 1_000_000
KEPT = 100_000
SKETCH = 65_536
_FEW = 1_000


class Tally:
    """Texts and how often they come."""

    def __init__(self) -> None:
        self.counts: pl.DataFrame = pl.DataFrame(schema={"value": pl.String, "rows": pl.UInt32})
        self.lost = 0
        self._hashes: NDArray[np.uint64] | None = None

    def add(self, counts: pl.DataFrame, more_to_come: bool) -> None:
        """Add a batch's counts (`value`, `rows`); `more_to_come` is whether the table is longer than a batch."""
        if more_to_come or self._hashes is not None:
            self._sketch(counts["value"])
        if not self.counts.height:
            self.counts = counts
        else:
            joined = pl.concat([frame.select("value", "rows") for frame in (self.counts, counts)])
            self.counts = joined.group_by("value").agg(pl.col("rows").sum())
        if (more_to_come or self._hashes is not None) and self.counts.height > KEPT:
            self._keep_frequent()

    def _keep_frequent(self) -> None:
        rows = self.counts["rows"].to_numpy()
        cut = int(np.partition(rows, len(rows) - KEPT - 1)[len(rows) - KEPT - 1])
        self.lost += cut
        self.counts = self.counts.filter(pl.col("rows") > cut).with_columns(pl.col("rows") - cut)

    def _sketch(self, values: pl.Series) -> None:
        hashes = values.hash(seed=7).to_numpy()
        if len(hashes) > SKETCH:
            hashes = np.partition(hashes, SKETCH)[:SKETCH]
        seen = hashes if self._hashes is None else np.concatenate((self._hashes, hashes))
        self._hashes = np.unique(seen)[:SKETCH]

    def distinct(self) -> Distinct:
        """How many different values came."""
        if not self.lost or self._hashes is None:
            return Distinct(count=self.counts.height, exact=True, method="counted")
        if len(self._hashes) < SKETCH:
            return Distinct(count=len(self._hashes), exact=True, method="counted by their 64-bit hashes")
        estimate = (SKETCH - 1) / (float(self._hashes[-1]) / 2**64)
        error = 100 / (SKETCH - 2) ** 0.5
        return Distinct(
            count=round(estimate),
            exact=False,
            method=f"estimated from the {SKETCH:,} smallest hashes (k minimum values), standard error {error:.1f} %",
        )

    def top(self, number: int) -> list[tuple[str, int]]:
        """The most frequent values and their counts; among equals the first in the alphabet."""
        if self.counts.height <= _FEW:
            pairs = zip(self.counts["value"].to_list(), self.counts["rows"].to_list(), strict=True)
            return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:number]
        frequent = self.counts.select("value", "rows")
        if frequent.height > number and frequent["rows"].max() == 1:
            frequent = frequent.bottom_k(number, by="value")
        elif frequent.height > number:
            rows = frequent["rows"].to_numpy()
            least = int(np.partition(rows, len(rows) - number)[len(rows) - number])
            equal = pl.col("rows") == least
            more = frequent.filter(pl.col("rows") > least)
            frequent = pl.concat([more, frequent.filter(equal).bottom_k(number - more.height, by="value")])
        chosen = frequent.sort(["rows", "value"], descending=[True, False])
        return list(zip(chosen["value"].to_list(), chosen["rows"].to_list(), strict=True))
