"""Removing what restylings leave: previews of jobs that ended badly, and old durations."""

from __future__ import annotations

from functools import partial

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in lower case

from thetool.jobs.schedules.cleanup import sweep

_ENDED = """
    from restyle_previews where created_at < now() - interval '1 minute' and not exists (
        select from jobs where jobs.id = restyle_previews.job_id and jobs.status = 'running'
    )
"""
_OLD = "from restyle_runs where finished_at < now() - interval '90 days'"


def register() -> None:
    """Let each cleanup remove these."""
    for name, rows in (("restyle_previews", _ENDED), ("restyle_runs", _OLD)):
        sweep(
            name,
            due=partial(_first, statement=f"select count(*) {rows}"),
            remove=partial(_removed, statement=f"delete {rows}"),
        )


def _first(connection: Connection, statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])  # type: ignore[index]


def _removed(connection: Connection, statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)
