"""Jobs that have one `dedupe_key`: the last one's parameters count."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg2.errors

from thetool.jobs.claims import NewJob
from thetool.jobs.queue import Queue, is_own_row


def enqueue_replacing(queue: Queue, job: NewJob, *, put_off: bool, cursor: Any = None) -> UUID | None:
    """Add a job, or put it in the place of the queued one that has its `dedupe_key`.

    Args:
        queue: where.
        job: what; its `run_at` counts where it is given.
        put_off: take its `run_at` in any case, but never an earlier one than the other's.
        cursor: of another connection, whose transaction it belongs to.

    Returns:
        The id of the job that runs in the end; None when the other began at this very moment: try again.
    """
    sender = "" if cursor is not None else queue.sender
    parameters = {**job.as_parameters(), "put_off": put_off, "sender": sender}
    try:
        rows = queue.connection.run("enqueue_replacing", parameters, cursor=cursor)
    except psycopg2.errors.UniqueViolation as error:
        if cursor is not None or not is_own_row(error):
            raise
        return job.id  # it has begun since the first try, whose answer was lost
    return UUID(str(rows[0][0])) if rows else None
