"""What is over in the queue's own tables, and in those of the floors below."""

from __future__ import annotations

from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in lower case

from thetool.jobs.local import local
from thetool.jobs.schedules.cleanup import sweep

BATCH = 500
SILENT_LEASES = 10
MINUTES_KEPT = "6 hours"
HOURS_KEPT = "30 days"

# A child stays while its parent may still want to read its result.
_FINISHED = """expires_at <= now() and status in ('completed', 'failed', 'cancelled') and not exists (
    select from jobs as parent where parent.id = jobs.parent_id and parent.status in ('queued', 'running')
)"""
_OLD_STATISTICS = f"""(period = 'minute' and begins < now() - interval '{MINUTES_KEPT}')
    or (period = 'hour' and begins < now() - interval '{HOURS_KEPT}')"""
_SILENT = "heartbeat_at < now() - make_interval(secs => %(silence)s)"
# A key that nothing waits for and nothing began for in a month: as good as one that was never used.
_IDLE_RATE = "free_at is null and coalesce(starts[cardinality(starts)], '-infinity') < now() - interval '31 days'"
_COUNT = "select count(*) from {table} where {over}"
_REMOVE = """
with due as (
    select {key} from {table} where {over} limit %(batch)s for update skip locked
), gone as (
    delete from {table} where ({key}) in (select {key} from due) returning {key}
)
select count(*) from gone
"""
# Their events go by the foreign key.
_REMOVE_JOBS = """
with due as (
    select id from jobs where {over} order by expires_at limit %(batch)s for update skip locked
), gone as (
    delete from jobs using due where jobs.id = due.id returning jobs.id
), keys as (
    delete from idempotency_keys using gone where job_id = gone.id
)
select count(*) from gone
"""


def _rows(table: str, over: str, *, key: str, removal: str = _REMOVE) -> None:
    """Sweep the rows of a table for which `over` is true; `key` is its primary key."""
    count, remove = (statement.format(table=table, over=over, key=key) for statement in (_COUNT, removal))
    sweep(
        table, due=lambda connection: _number(connection, count), remove=lambda connection: _number(connection, remove)
    )


def _number(connection: Connection, statement: str) -> int:
    values: dict[str, Any] = {"batch": BATCH, "silence": SILENT_LEASES * local.settings.job_lease_seconds}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def _take_back(_: Connection) -> int:
    """Take back the jobs of silent workers, if nobody has for a minute: their own worker's neighbours do it in seconds,
    and after an outage let everybody renew first."""
    queue = local.queue
    ((long_lost,),) = queue.connection.run("long_lost")
    return len(queue.rescue()) if long_lost else 0


_rows("jobs", _FINISHED, key="id", removal=_REMOVE_JOBS)
_rows("idempotency_keys", "expires_at <= now()", key="owner_id, key")
_rows("rate_limits", "expires_at <= now()", key="key")
_rows("job_rates", _IDLE_RATE, key="key")
_rows("workers", _SILENT, key="id")
_rows("job_statistics", _OLD_STATISTICS, key="period, begins, kind")
sweep("lost_jobs", due=lambda _: int(local.queue.connection.run("long_lost")[0][0]), remove=_take_back)
