"""Removing analyses whose time is over, and contents whose jobs ended without using them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Engine, text

from thetool.analyze.jobs import INPUT_MEDIA_TYPE, LONG, PHOTO
from thetool.analyze.table_job import TABLE
from thetool.jobs.schedules import cleanup
from thetool.storage import blobs
from thetool.storage.state import storage

BATCH = 1_000

_EXPIRED = text(
    """
    delete from analyses where id in (
        select id from analyses where expires_at <= now() order by expires_at limit :batch for update skip locked
    )
    """
)
_COUNT_EXPIRED = text("select count(*) from analyses where expires_at <= now()")
# A content is stored a moment before its job is there, so that young ones are left alone; a failed job may be put back,
# until its content goes in any case (`INPUT_HOURS`). Each status has an index; the kind keeps the texts of all waiting
# short ones, which lie in `params`, from being read.
_ORPHANS = text(
    """
    select id from blobs
    where media_type = :media_type and state = 'stored' and created_at < now() - interval '5 minutes'
        and not exists (
            select from jobs where status = 'queued' and kind = any(:kinds) and jobs.params->>'input' = blobs.id::text
        )
        and not exists (
            select from jobs where status = 'running' and kind = any(:kinds) and jobs.params->>'input' = blobs.id::text
        )
        and not exists (
            select from jobs where status = 'failed' and kind = any(:kinds) and jobs.params->>'input' = blobs.id::text
        )
    limit :batch
    """
)


def register() -> None:
    """Let each cleanup remove these."""
    cleanup.sweep(
        "analyses", due=lambda _: expired_analyses(storage().engine), remove=lambda _: sweep_analyses(storage().engine)
    )
    cleanup.sweep(
        "analysis_inputs",
        due=lambda _: orphaned_inputs(storage().engine),
        remove=lambda _: sweep_inputs(storage().engine),
    )


def sweep(engine: Engine) -> int:
    """Remove what is over; how many analyses and contents that were. Safe in several processes at once."""
    removed = 0
    while batch := sweep_analyses(engine):
        removed += batch
    return removed + sweep_inputs(engine)


def sweep_analyses(engine: Engine) -> int:
    """Remove a batch of analyses whose time is over; how many."""
    with engine.begin() as connection:
        return connection.execute(_EXPIRED, {"batch": BATCH}).rowcount


def sweep_inputs(engine: Engine) -> int:
    """Remove a batch of contents whose jobs ended without using them; how many."""
    return sum(blobs.delete(blob_id) for blob_id in _orphans(engine))


def expired_analyses(engine: Engine) -> int:
    """How many analyses would go now."""
    with engine.connect() as connection:
        return connection.scalar(_COUNT_EXPIRED) or 0


def orphaned_inputs(engine: Engine) -> int:
    """How many contents would go now, counted no further than a batch."""
    return len(_orphans(engine))


def _orphans(engine: Engine) -> Sequence[UUID]:
    with engine.connect() as connection:
        values = {"media_type": INPUT_MEDIA_TYPE, "kinds": [LONG, PHOTO, TABLE], "batch": BATCH}
        return connection.execute(_ORPHANS, values).scalars().all()
