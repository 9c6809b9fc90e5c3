"""VACUUM of the tables that change with each job (`docs/decisions/0011-schedules.md`).

An update leaves a dead row behind, and every claim steps over those at the head of its index. Autovacuum looks once a
minute; in that minute a busy queue leaves half a million.
"""

from __future__ import annotations

import time

import structlog
from psycopg2 import sql

from thetool.jobs.queue import Queue
from thetool.jobs.schedules.registry import Round

HOT_TABLES = ("job_events", "job_rates", "job_statistics", "jobs", "rate_limits", "schedules", "workers")
DEAD_ROWS = 2_000
DEAD_SHARE = 0.001
"""A table is worn with so many dead rows, and with so many for each live one: reading its indexes has a price too."""

IDLE_SECONDS, BUSY_SECONDS = 5.0, 2.0
REST = 9.0
"""After a VACUUM nine times as long is rest: it takes at most a tenth of the time, however large the table is."""

# The dead rows that slow claims down are the entries at the head of an index, which `index_cleanup auto` leaves there
# while they are few beside the finished jobs. No exclusive lock at the end; no second process on a small machine.
_VACUUM = sql.SQL("vacuum (skip_locked, index_cleanup on, truncate false, parallel 0) {}")

log = structlog.get_logger(__name__)


def vacuum(turn: Round) -> float:
    """Clear the tables that are worn; the seconds until it should be looked at again.

    A table that somebody else vacuums, or locks, is left to the next time. It cannot clear what a transaction that is
    still open may want to see: health warns about those.

    Raises:
        DatabaseUnavailable: Postgres is away.
    """
    tables = worn(turn.queue)
    if not tables:
        return IDLE_SECONDS
    began = time.monotonic()
    with turn.connection("vacuum") as connection, connection.cursor() as cursor:
        for table in tables:
            cursor.execute(_VACUUM.format(sql.Identifier(table)))
    seconds = time.monotonic() - began
    log.debug("vacuumed", tables=tables, seconds=round(seconds, 3))
    return max(BUSY_SECONDS, REST * seconds)


def worn(queue: Queue) -> list[str]:
    """The hot tables that have too many dead rows."""
    return [table for table, dead, live in dead_rows(queue) if dead > DEAD_ROWS and dead > DEAD_SHARE * live]


def dead_rows(queue: Queue) -> list[tuple[str, int, int]]:
    """Of each hot table its name, its dead and its live rows; Postgres hears of them within a second or so."""
    rows = queue.connection.run("dead_tuples", {"tables": list(HOT_TABLES)})
    return [(table, dead, live) for table, dead, live in rows]
