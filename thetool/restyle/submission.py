"""From a request to its job: the photo is stored, and the job made, or neither."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from thetool.access.caller import Caller
from thetool.config import Settings
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.idempotency import Idempotency, recall
from thetool.jobs.registry import MAX_KEEP_SECONDS
from thetool.jobs.submit import submit
from thetool.restyle import records
from thetool.restyle.intake import Incoming
from thetool.restyle.jobs import KIND, TIMEOUT_SECONDS, Restyle
from thetool.storage import blobs
from thetool.storage.state import storage


def make_job(
    settings: Settings,
    incoming: Incoming,
    caller: Caller,
    *,
    correlation_id: str,
    idempotency: Idempotency | None,
) -> UUID:
    """Store the photo and make its job; a repeated request gets the first one's.

    Raises:
        IdempotencyConflict, QueueFull, QuotaExceeded, NoWorker: no job can be made; nothing is left behind.
    """
    if idempotency is not None and (first := recall(idempotency)) and first.job_id is not None and not first.gone:
        idempotency.on_replay()
        return first.job_id
    keep_seconds = settings.restyle_keep_days * 86_400
    expires_at = datetime.now(UTC) + timedelta(seconds=keep_seconds)
    stored: list[UUID] = []

    def keep(content: bytes, media_type: str, name: str | None) -> UUID:
        blob = blobs.store(
            content,
            owner_id=caller.owner_id,
            media_type=media_type,
            filename=name,
            expires_at=expires_at,
            quota_bytes=caller.storage_quota_bytes,
        )
        stored.append(blob.id)
        return blob.id

    try:
        params = Restyle(
            input=keep(incoming.photo, incoming.media_type, incoming.filename),
            mask=None if incoming.mask is None else keep(incoming.mask, "application/octet-stream", "mask"),
            sha256=hashlib.sha256(incoming.photo).hexdigest(),
            options=incoming.options,
            given=list(incoming.given),
            keep_seconds=keep_seconds,
        )
        made = submit(
            KIND,
            params,
            owner_id=caller.owner_id,
            correlation_id=correlation_id,
            idempotency=idempotency,
            job_quota=caller.job_quota,
            timeout=TIMEOUT_SECONDS * incoming.options.variations,
            expires_in=min(keep_seconds, MAX_KEEP_SECONDS),  # as long as there is something to open
            title=incoming.filename or f"a room, {incoming.options.style}",
        )
    except DatabaseUnavailable:  # the job may have been made all the same
        raise
    except BaseException:
        _forget(stored)
        raise
    if not made.created:
        _forget(stored)
    return made.job_id


def estimated_seconds(incoming: Incoming, job_id: UUID) -> float | None:
    """How long a job will take, by the last ones of its sort and what waits before it; None before there were any."""
    engine = storage().engine
    usual = records.usual_seconds(engine, incoming.options.quality, incoming.options.variations)
    return None if usual is None else round(usual * (1 + records.waiting_before(engine, job_id)), 1)


def _forget(stored: list[UUID]) -> None:
    for blob_id in stored:
        blobs.delete(blob_id)
