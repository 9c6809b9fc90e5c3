"""Where a value stands."""

from __future__ import annotations

import polars as pl

_FIRST_LOOK = 10_000


def first_with(text: pl.Series, values: pl.Series) -> int:
    """The place of the first cell that has one of `values`; one has."""
    head = text.head(_FIRST_LOOK).is_in(values.implode())
    if head.any():
        return int(head.arg_max() or 0)
    return int(text.is_in(values.implode()).arg_max() or 0)
