"""How the columns of numbers of a table go together."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl

from thetool.tables.profile.numbers import Values
from thetool.tables.profile.schemas import ColumnProfile, Correlation
from thetool.tables.profile.source import Source

MOST_COLUMNS = 50
MOST_CELLS = 20_000_000


def correlations(source: Source, columns: list[ColumnProfile]) -> tuple[list[Correlation], list[str]]:
    """Pearson's r and Spearman's rho of each pair of columns of numbers, over the rows that have both; what is not.

    Numbers are those that vary. Of a table with more than `MOST_CELLS` cells of them, evenly spread rows are taken.
    """
    names = [column.name for column in columns if column.numbers is not None and column.distinct.count > 1]
    notes = []
    if len(names) > MOST_COLUMNS:
        notes.append(f"Correlations are of the first {MOST_COLUMNS} of {len(names):,} columns of numbers.")
        names = names[:MOST_COLUMNS]
    if len(names) < 2:
        return [], notes
    step = -(-source.rows * len(names) // MOST_CELLS)
    frame = pl.scan_parquet(source.typed).select(pl.nth([source.places[name] for name in names]).cast(pl.Float64))
    if step > 1:
        frame = frame.gather_every(step)
        notes.append(f"Correlations are of every {step}th row.")
    values = {name: column.to_numpy() for name, column in frame.collect(engine="streaming").to_dict().items()}
    return _pairs(values), notes


def _pairs(values: dict[str, Values]) -> list[Correlation]:
    finite = {name: np.isfinite(column) for name, column in values.items()}
    whole = {name: _ranks(column) for name, column in values.items() if finite[name].all()}
    found = []
    for one, other in combinations(values, 2):
        kept = finite[one] & finite[other]
        if one in whole and other in whole:
            left, right, ranks = values[one], values[other], (whole[one], whole[other])
        else:
            left, right = values[one][kept], values[other][kept]
            ranks = _ranks(left), _ranks(right)
        found.append(
            Correlation(columns=(one, other), pairs=len(left), pearson=_pearson(left, right), spearman=_pearson(*ranks))
        )
    return found


def _ranks(values: Values) -> Values:
    return pl.Series(values).rank("average").to_numpy()


def _pearson(left: Values, right: Values) -> float | None:
    if len(left) < 3:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        left, right = left - left.mean(), right - right.mean()
        size = float(np.sqrt((left * left).sum()) * np.sqrt((right * right).sum()))
        if not size or not np.isfinite(size):
            return None
        return max(-1.0, min(1.0, float((left * right).sum()) / size))
