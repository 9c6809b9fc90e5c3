"""Removing analyses whose time is over, and long texts whose jobs ended without using them."""

from __future__ import annotations

from sqlalchemy import Engine, text

from thetool.analyze.jobs import INPUT_MEDIA_TYPE
from thetool.storage import blobs

BATCH = 1_000

_EXPIRED = text(
    """
    delete from analyses where id in (
        select id from analyses where expires_at <= now() order by expires_at limit :batch for update skip locked
    )
    """
)
# A text is stored a moment before its job is there, so that young ones are left alone.
_ORPHANS = text(
    """
    select id from blobs
    where media_type = :media_type and state = 'stored' and created_at < now() - interval '5 minutes'
        and not exists (
            select from jobs where status in ('queued', 'running') and jobs.params->>'input' = blobs.id::text
        )
    limit :batch
    """
)


def sweep(engine: Engine) -> int:
    """Remove what is over; how many analyses and texts that were. Safe in several processes at once."""
    removed = 0
    while True:
        with engine.begin() as connection:
            deleted = connection.execute(_EXPIRED, {"batch": BATCH}).rowcount
        removed += deleted
        if deleted < BATCH:
            break
    with engine.connect() as connection:
        orphans = connection.execute(_ORPHANS, {"media_type": INPUT_MEDIA_TYPE, "batch": BATCH}).scalars().all()
    return removed + sum(blobs.delete(blob_id) for blob_id in orphans)
