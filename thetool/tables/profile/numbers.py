"""Statistics of a column of numbers, each over all its values.

Quartiles are interpolated linearly (type 7 of Hyndman and Fan 1996), skewness is G1 of Joanes and Gill 1998, outliers
lie beyond Tukey's fences (1977): the first two as pandas and Excel have them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thetool.tables.profile.schemas import Distinct, Histogram, Numbers, OutlierExample, Outliers, TopValue

Values = NDArray[Any]
BINS = 20
FENCE = 1.5
_CHUNK = 262_144
_EPSILON = float(np.finfo(np.float64).eps)


def statistics(values: Values, ordered: Values, not_finite: int) -> Numbers:
    """Statistics of finite `values`; `ordered` are the same ones in ascending order."""
    if not len(values):
        return Numbers(
            min=None, max=None, mean=None, sum=None, std=None, q1=None, median=None, q3=None, skew=None,
            zeros=0, negative=0, not_finite=not_finite,
        )  # fmt: skip
    first, last = int(np.searchsorted(ordered, 0, "left")), int(np.searchsorted(ordered, 0, "right"))
    total = _sum(values, ordered)
    mean, std, skew = _moments(values, float(total) / len(values), float(ordered[0]), float(ordered[-1]))
    return Numbers(
        min=ordered[0].item(),
        max=ordered[-1].item(),
        mean=mean,
        sum=total if math.isfinite(total) else None,
        std=std,
        q1=quantile(ordered, 0.25),
        median=quantile(ordered, 0.5),
        q3=quantile(ordered, 0.75),
        skew=skew,
        zeros=last - first,
        negative=first,
        not_finite=not_finite,
    )


def _sum(values: Values, ordered: Values) -> int | float:
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return float(values.sum())
    largest = max(abs(int(ordered[0])), abs(int(ordered[-1])))
    if largest * len(values) < 2**63:
        return int(values.sum())
    return sum(int(part.astype(object).sum()) for part in _chunks(values))


def _chunks(values: Values) -> list[Values]:
    return [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]


def _moments(values: Values, mean: float, low: float, high: float) -> tuple[float | None, float | None, float | None]:
    """Mean, standard deviation (n - 1) and G1; None where they do not exist or do not fit a float."""
    number = len(values)
    second = third = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for part in _chunks(values):
            apart = part - mean
            square = apart * apart
            second += float(square.sum())
            third += float((square * apart).sum())
    if not math.isfinite(mean):
        return None, None, None
    std = math.sqrt(second / (number - 1)) if number > 1 and math.isfinite(second) else None
    if number < 3 or not math.isfinite(third) or _all_the_same(second, number, mean):
        return mean, std, None
    if abs(third) <= _EPSILON * second * (8 * max(high - mean, mean - low) + 4 * abs(mean)):
        return mean, std, 0.0  # the rounding of the cubes and of the mean, and nothing else
    biased = (third / number) / (second / number) ** 1.5
    return mean, std, biased * math.sqrt(number * (number - 1)) / (number - 2)


def _all_the_same(second: float, number: int, mean: float) -> bool:
    """Whether what is left of the squares is the rounding of the mean and nothing else."""
    return second <= number * (1e-14 * abs(mean)) ** 2


def quantile(ordered: Values, share: float) -> float:
    """The value below which `share` of `ordered` lie, interpolated linearly."""
    position = (len(ordered) - 1) * share
    below = math.floor(position)
    low = ordered[below].item()
    if below == position:
        return float(low)
    high = ordered[below + 1].item()
    return float(low + (position - below) * (high - low)) if low != high else float(low)


def histogram(ordered: Values) -> Histogram | None:
    """Up to `BINS` equal bins. Those of whole numbers hold as many of them each. None without values."""
    if not len(ordered):
        return None
    low, high = ordered[0].item(), ordered[-1].item()
    if low == high:
        return Histogram(edges=[float(low), float(high)], counts=[len(ordered)])
    if ordered.dtype.kind == "i":
        width = -(-(high - low + 1) // BINS)
        edges = list(range(low, high + width + 1, width))
    else:
        edges = [low + (high / BINS - low / BINS) * part for part in range(BINS)] + [high]
    inner = np.searchsorted(ordered, np.array(edges[1:-1]), "left")
    counts = np.diff(np.concatenate(([0], inner, [len(ordered)])))
    return Histogram(edges=[float(edge) for edge in edges], counts=counts.tolist())


def distinct_and_top(ordered: Values, number: int) -> tuple[Distinct, list[tuple[Any, int]]]:
    """How many different values `ordered` has; the `number` most frequent and their counts, lesser values first.

    None is more frequent than another where no value comes twice: then there are none.
    """
    if not len(ordered):
        return Distinct(count=0, exact=True, method="counted"), []
    again = ordered[1:] == ordered[:-1]
    different = len(ordered) - int(np.count_nonzero(again))
    distinct = Distinct(count=different, exact=True, method="counted")
    if different == len(ordered) > number:
        return distinct, []
    if different <= max(number, len(ordered) // 2):
        return distinct, _frequent(ordered, number, 0)
    top = _frequent(ordered[1:][again], number, 1)  # each value once less: few, and never more than half
    if len(top) < number:
        once = np.flatnonzero(~np.append(False, again) & ~np.append(again, False))[: number - len(top)]
        top += [(value.item(), 1) for value in ordered[once]]
    return distinct, top


def _frequent(ordered: Values, number: int, missing: int) -> list[tuple[Any, int]]:
    """The most frequent values and their counts; `missing` is added to each count."""
    starts = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))
    counts = np.diff(np.concatenate((starts, [len(ordered)])))
    if len(counts) > number:
        least = np.partition(counts, len(counts) - number)[len(counts) - number]
        more, same = np.flatnonzero(counts > least), np.flatnonzero(counts == least)
        chosen = np.concatenate((more, same[: number - len(more)]))
    else:
        chosen = np.arange(len(counts))
    chosen = chosen[np.lexsort((starts[chosen], -counts[chosen]))]
    return [(ordered[starts[at]].item(), int(counts[at]) + missing) for at in chosen]


def top_values(top: list[tuple[Any, int]], values: int) -> list[TopValue]:
    """`top` as the schema has it; `values` is the number of cells that are not empty."""
    return [TopValue(value=str(value), count=count, share=count / values) for value, count in top]


def outliers(values: Values, ordered: Values, rows: Values | None, numbers: Numbers, examples: int) -> Outliers | None:
    """Values beyond the fences; None where half of the values are the same, so that there are no fences.

    `rows` are the rows of `values`, None where they are 1, 2, 3 …
    """
    if numbers.q1 is None or numbers.q3 is None or numbers.q1 == numbers.q3:
        return None
    spread = numbers.q3 - numbers.q1
    low, high = numbers.q1 - FENCE * spread, numbers.q3 + FENCE * spread
    if not math.isfinite(low) or not math.isfinite(high):
        return None
    below, above = int(np.searchsorted(ordered, low, "left")), int(np.searchsorted(ordered, high, "right"))
    count = below + len(ordered) - above
    return Outliers(
        method=f"Tukey's fences: more than {FENCE} × (q3 - q1) below q1 or above q3",
        low=low,
        high=high,
        count=count,
        examples=_farthest(values, rows, low, high, examples) if count else [],
    )


def _farthest(values: Values, rows: Values | None, low: float, high: float, number: int) -> list[OutlierExample]:
    at = np.flatnonzero((values < low) | (values > high))
    beyond = np.where(values[at] < low, low - values[at], values[at] - high)
    farthest = at[np.argsort(-beyond, kind="stable")[:number]]
    return [
        OutlierExample(row=int(rows[place]) if rows is not None else int(place) + 1, value=values[place].item())
        for place in farthest
    ]
