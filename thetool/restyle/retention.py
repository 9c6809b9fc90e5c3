"""Removing what restylings leave: files and previews of those that came to nothing, and old durations."""

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
# Of a job that failed or was cancelled, and of attempts whose worker died: nobody is given a link to these.
_LEFT = """
    blobs.expires_at > now() and exists (
        select from job_files join jobs on jobs.id = job_id
        where blob_id = blobs.id and kind = 'restyle.run'
            and (status in ('failed', 'cancelled') or job_files.claim_token is distinct from jobs.claim_token)
    )
"""


def register() -> None:
    """Let each cleanup remove these; files by saying that they have expired."""
    for name, rows, remove in (
        ("restyle_previews", _ENDED, f"delete {_ENDED}"),
        ("restyle_runs", _OLD, f"delete {_OLD}"),
        ("restyle_files", f"from blobs where {_LEFT}", f"update blobs set expires_at = now() where {_LEFT}"),  # noqa: S608
    ):
        sweep(
            name,
            due=partial(_first, statement=f"select count(*) {rows}"),
            remove=partial(_removed, statement=remove),
        )


def _first(connection: Connection, statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])  # type: ignore[index]


def _removed(connection: Connection, statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)
