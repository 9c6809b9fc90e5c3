"""From a content to its analysis: the cache, or a job, with a repeated request led to what the first one got."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Engine

from thetool.analyze import at_hand, cache
from thetool.analyze.asked import Asked
from thetool.analyze.cache import Kept
from thetool.analyze.content import Image
from thetool.analyze.jobs import INPUT_MEDIA_TYPE
from thetool.config import Settings
from thetool.database.connection import DatabaseUnavailable
from thetool.database.hit_counts import HitCounter
from thetool.jobs.idempotency import AnsweredWithoutJob, Idempotency, Remembered, recall, remember
from thetool.jobs.submit import Submission, submit
from thetool.jobs.waiting import look_at
from thetool.storage import blobs
from thetool.web.problems import NotFound

INPUT_HOURS = 25
"""After so long a stored content goes in any case."""


class Desk:
    """Takes contents in for one application."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self.counter = HitCounter("analyses", engine)

    def take(
        self, ask: Callable[[], Asked], *, idempotency: Idempotency | None = None, batch_id: UUID | None = None
    ) -> Kept | UUID:
        """Give the analysis where there is one, else the id of the job that makes it.

        Args:
            ask: reads the content, and says what is asked of it; not called for a request that is only repeated.
            idempotency: the request's key.
            batch_id: the batch that it is one of.

        Raises:
            IdempotencyConflict: the key was used for another request (409).
            QueueFull, QuotaExceeded, NoWorker: no job can be made; nothing is left behind.
        """
        if idempotency is not None and (first := recall(idempotency)) is not None:
            again = self._again(first, idempotency)
            if again is not None:
                return again
            idempotency = None  # what the first request got is deleted by now: answer anew
        asked = ask()
        key = asked.cache_key
        kept = None
        if self._settings.cache_enabled:
            kept = cache.find(self._settings, asked.caller.owner_id, key, asked.plan)
            self.counter.count(hit=kept is not None)
        if kept is None:
            return self._make_or_repeat(asked, key, idempotency, batch_id)
        if idempotency is not None and (first := remember(idempotency, analysis_id=kept.id)) is not None:
            return self._again(first, idempotency) or kept  # another request with the key was a moment quicker
        return kept

    def _make_or_repeat(
        self, asked: Asked, key: bytes, idempotency: Idempotency | None, batch_id: UUID | None
    ) -> Kept | UUID:
        try:
            return self._submit(asked, key, idempotency, batch_id)
        except AnsweredWithoutJob as answered:  # an equal request was a moment quicker, and hit the cache
            again = self._again(answered.first, idempotency) if idempotency else None
            return again or self._submit(asked, key, None, batch_id)

    def _again(self, first: Remembered, idempotency: Idempotency) -> Kept | UUID | None:
        """What the first request with a key got; None when that is no longer kept."""
        again: Kept | UUID | None
        if first.job_id is not None:
            again = first.job_id if self._is_there(first.job_id) else None
        else:
            again = None if first.analysis_id is None else cache.get(first.analysis_id)
        if again is not None:
            idempotency.on_replay()
        return again

    @staticmethod
    def _is_there(job_id: UUID) -> bool:
        try:
            look_at(job_id)
        except NotFound:
            return False
        return True

    def _submit(self, asked: Asked, key: bytes, idempotency: Idempotency | None, batch_id: UUID | None) -> UUID:
        if not asked.is_stored:
            return _make(asked, asked.job_params(self._settings, key, None), idempotency, batch_id).job_id
        stored = blobs.store(
            asked.content.data,
            owner_id=asked.caller.owner_id,
            media_type=INPUT_MEDIA_TYPE,
            expires_at=datetime.now(UTC) + timedelta(hours=INPUT_HOURS),
            quota_bytes=asked.caller.storage_quota_bytes,
        ).id
        if isinstance(asked.content, Image):
            at_hand.keep(stored, asked.content)
        try:
            made = _make(asked, asked.job_params(self._settings, key, stored), idempotency, batch_id)
        except DatabaseUnavailable:  # the job may have been made all the same; INPUT_HOURS ends the content if not
            raise
        except BaseException:
            blobs.delete(stored)
            raise
        if not made.created:  # an earlier job is the answer
            blobs.delete(stored)
        return made.job_id


def _make(asked: Asked, params: BaseModel, idempotency: Idempotency | None, batch_id: UUID | None) -> Submission:
    return submit(
        asked.job_kind,
        params,
        owner_id=asked.caller.owner_id,
        correlation_id=asked.correlation_id,
        batch_id=batch_id,
        idempotency=idempotency,
        job_quota=asked.caller.job_quota,
        webhook=asked.webhook,
        title=asked.content.title,
    )
