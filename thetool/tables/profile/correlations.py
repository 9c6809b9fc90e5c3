"""How the columns of numbers of a table go together."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl

from thetool.tables.profile.numbers import Values
from thetool.tables.profile.schemas import ColumnProfile, Correlation
from thetool.tables.profile.source import Source


def correlations(source: Source, columns: list[ColumnProfile]) -> list[Correlation]:
    """Pearson's r and Spearman's rho of each pair of columns of numbers, over the rows that have both."""
    names = [column.name for column in columns if column.numbers is not None and column.distinct.count > 1]
    found = []
    for one, other in combinations(names, 2):
        both = pl.scan_parquet(source.typed).select(pl.col(one, other).cast(pl.Float64)).collect()
        left, right = both[one].to_numpy(), both[other].to_numpy()
        kept = np.isfinite(left) & np.isfinite(right)
        left, right = left[kept], right[kept]
        ranks = [pl.Series(values).rank("average").to_numpy() for values in (left, right)]
        found.append(
            Correlation(
                columns=(one, other),
                pairs=len(left),
                pearson=_pearson(left, right),
                spearman=_pearson(*ranks),
            )
        )
    return found


def _pearson(left: Values, right: Values) -> float | None:
    if len(left) < 3:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        left, right = left - left.mean(), right - right.mean()
        size = float(np.sqrt((left * left).sum()) * np.sqrt((right * right).sum()))
        if not size or not np.isfinite(size):
            return None
        return max(-1.0, min(1.0, float((left * right).sum()) / size))
