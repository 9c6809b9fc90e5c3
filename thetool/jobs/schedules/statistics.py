"""How many jobs end, how, and how long they take: by minute for a few hours, by hour for a month."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thetool.jobs.queue import Queue
from thetool.jobs.schedules.tally import OUTCOMES, percentile, tally

RECENT_MINUTES = 5
NEWEST = 2_000
"""So many jobs are looked at for the rate at which they come; the look takes about a millisecond."""


def write(queue: Queue) -> None:
    """Add what this process has counted to the table; what cannot be written now is lost (5 seconds' worth).

    Raises:
        DatabaseUnavailable: Postgres is away.
    """
    for kind, counts in tally.take().items():
        values = {**counts.outcomes, "kind": kind, "seconds": counts.seconds, "durations": counts.durations}
        queue.connection.run("add_statistics", values)


def recent(queue: Queue) -> dict[str, Any]:
    """Jobs a minute that came and ended, in all and by kind, over the last five minutes.

    Returns:
        `enqueued`, `finished`, `failed`, `lost` a minute; and `kinds`: of each that had an end, `finished` and `failed`
        a minute, `p50_ms` and `p95_ms` of how long an attempt ran.
    """
    rows = queue.connection.run("recent_statistics", {"minutes": RECENT_MINUTES})
    kinds, finished, failed, lost = {}, 0.0, 0.0, 0.0
    for kind, completed, failures, cancelled, _, losses, seconds, durations in rows:
        minutes = seconds / 60
        ended = (completed + failures + cancelled) / minutes
        finished, failed, lost = finished + ended, failed + failures / minutes, lost + losses / minutes
        kinds[kind] = {
            "finished_per_minute": round(ended, 2),
            "failed_per_minute": round(failures / minutes, 2),
            **_percentiles(durations),
        }
    return {
        "enqueued_per_minute": round(_enqueued(queue), 2),
        "finished_per_minute": round(finished, 2),
        "failed_per_minute": round(failed, 2),
        "lost_per_minute": round(lost, 2),
        "kinds": kinds,
    }


def by_period(queue: Queue, period: str, seconds: float) -> list[dict[str, Any]]:
    """What ended in each hour (or minute) that began in the last so many seconds, the newest first."""
    rows = queue.connection.run("statistics", {"period": period, "seconds": seconds})
    return [
        {
            "begins": begins,
            "kind": kind,
            **dict(zip(OUTCOMES, counts, strict=True)),
            "mean_ms": _milliseconds(total / sum(durations) if sum(durations) else None),
            **_percentiles(durations),
        }
        for begins, kind, *counts, total, durations in rows
    ]


def _percentiles(durations: Sequence[int]) -> dict[str, float | None]:
    return {
        "p50_ms": _milliseconds(percentile(durations, 0.5)),
        "p95_ms": _milliseconds(percentile(durations, 0.95)),
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else float(f"{1000 * seconds:.3g}")


def _enqueued(queue: Queue) -> float:
    """Jobs made a minute: over the minutes that ends are counted over, or over the newest where they are too many."""
    values = {"limit": NEWEST, "minutes": RECENT_MINUTES}
    ((made, looked_at, span, seconds),) = queue.connection.run("recently_enqueued", values)
    if not made:
        return 0.0
    if looked_at < NEWEST or made < looked_at:
        return float(60 * made / seconds)
    return float(60 * looked_at / max(span, 0.001))
