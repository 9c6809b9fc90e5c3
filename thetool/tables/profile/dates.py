"""Statistics of a column of dates or of points in time, each over all its values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from thetool.tables.profile import numbers
from thetool.tables.profile.schemas import Dates, Histogram

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS_A_DAY = 86_400_000_000


def moment(microseconds: int) -> datetime:
    """The point in time so many microseconds after 1970 (UTC)."""
    return EPOCH + timedelta(microseconds=microseconds)


def statistics(ordered: numbers.Values, now: datetime) -> Dates | None:
    """Statistics of microseconds since 1970 in ascending order; None without values."""
    if not len(ordered):
        return None
    tomorrow = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    end = int((tomorrow - EPOCH) / timedelta(microseconds=1))
    first, last = int(ordered[0]), int(ordered[-1])
    return Dates(
        earliest=moment(first),
        latest=moment(last),
        median=moment(int(ordered[(len(ordered) - 1) // 2])),
        span_days=(last - first) / MICROSECONDS_A_DAY,
        future=len(ordered) - int(np.searchsorted(ordered, end, "left")),
    )


def histogram(ordered: numbers.Values) -> Histogram | None:
    """Equal bins from the first to the last; for days that are fewer, one bin each. None without values."""
    if not len(ordered):
        return None
    first, last = int(ordered[0]), int(ordered[-1])
    whole_days = not np.any(ordered % MICROSECONDS_A_DAY)
    unit = MICROSECONDS_A_DAY if whole_days else 1
    binned = numbers.histogram(ordered // unit if whole_days else ordered)
    assert binned is not None  # noqa: S101
    if first == last:
        return Histogram(edges=[moment(first), moment(last)], counts=binned.counts)
    return Histogram(edges=[moment(round(float(edge) * unit)) for edge in binned.edges], counts=binned.counts)  # type: ignore[arg-type]
