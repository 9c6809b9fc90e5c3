"""From a text to its analysis: the cache, or a job, with a repeated request led to what the first one got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine

from thetool.access.caller import Caller
from thetool.analyze import cache
from thetool.analyze.cache import Kept
from thetool.analyze.counts import HitCounter
from thetool.analyze.jobs import INPUT_MEDIA_TYPE, LONG, SHORT, LongText, ShortText
from thetool.analyze.options import Options
from thetool.analyze.schemas import Skipped
from thetool.analyze.tasks import Plan, plan
from thetool.config import Settings
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.idempotency import AnsweredWithoutJob, Idempotency, Remembered, recall, remember
from thetool.jobs.submit import Submission, submit
from thetool.jobs.waiting import look_at
from thetool.jobs.webhooks.asked import Webhook
from thetool.storage import blobs
from thetool.text.topics import SAMPLE_CHARACTERS
from thetool.web.problems import NotFound, ValidationFailed

INLINE_BYTES = 65_536
"""A longer text goes to storage: rows of the queue stay small."""
MAX_CHARACTERS_WITH_SENTENCES = 2_000_000
"""Each sentence's own sentiment takes more room than the text; a longer result could not be stored."""
TITLE_CHARACTERS = 60
INPUT_HOURS = 25
"""After so long a stored text goes in any case."""


@dataclass(frozen=True)
class Asked:
    """One text with everything that decides about its answer."""

    text: str
    options: Options
    plan: Plan
    caller: Caller
    correlation_id: str
    webhook: Webhook | None = None
    filename: str | None = None

    @classmethod
    def of(
        cls,
        text: str,
        options: Options,
        caller: Caller,
        correlation_id: str,
        settings: Settings,
        webhook: Webhook | None = None,
        filename: str | None = None,
    ) -> Asked:
        """Decide which tasks the text gets.

        Raises:
            ValidationFailed: an unknown task, or sentences wanted of a very long text.
            WeightsUnavailable: a task asked for by name has no weights here.
        """
        if options.sentences and len(text) > MAX_CHARACTERS_WITH_SENTENCES:
            most = f"is for texts of up to {MAX_CHARACTERS_WITH_SENTENCES:,} characters; this has {len(text):,}"
            raise ValidationFailed.of_fields([("sentences", most, "body")])
        return cls(text, options, plan("text", options.tasks, settings), caller, correlation_id, webhook, filename)

    @property
    def cache_key(self) -> bytes:
        """What identifies the result."""
        tasks = self.plan.tasks
        labels = self.options.topic_labels() if "topics" in tasks else None
        each_sentence = self.options.sentences and "sentiment" in tasks
        rest = [labels, each_sentence, self.by_name and "sentiment" in tasks, self.exhaustive]
        return cache.key_of(self.caller.owner_id, "text", self.text, self.plan, rest)

    @property
    def title(self) -> str:
        """What people call it: the file's name, else how the text begins."""
        if self.filename:
            return self.filename
        beginning = " ".join(self.text[: 4 * TITLE_CHARACTERS].split())
        return beginning if len(beginning) <= TITLE_CHARACTERS else f"{beginning[: TITLE_CHARACTERS - 1].rstrip()}…"

    @property
    def by_name(self) -> bool:
        """Whether the request names its tasks."""
        return bool(self.options.tasks)

    @property
    def exhaustive(self) -> bool:
        """Whether every sentence is to be read for topics, where that makes a difference."""
        return self.options.exhaustive and "topics" in self.plan.tasks and len(self.text) > SAMPLE_CHARACTERS

    def job_params(self, settings: Settings, key: bytes) -> dict[str, object]:
        """What the job is told, but for the text."""
        skipped = [Skipped(task=task, reason=what, how=how) for task, what, how in self.plan.unavailable]
        return {
            "tasks": self.plan.tasks,
            "labels": self.options.topic_labels(),
            "each_sentence": self.options.sentences,
            "by_name": self.by_name,
            "exhaustive": self.exhaustive,
            "skipped": skipped,
            "cache_key": key.hex(),
            "keep_seconds": settings.analysis_retention_hours * 3600,
        }


class Desk:
    """Takes texts in for one application."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings = settings
        self.counter = HitCounter("analyses", engine)

    def take(
        self, asked: Asked, *, idempotency: Idempotency | None = None, batch_id: UUID | None = None
    ) -> Kept | UUID:
        """Give the analysis where there is one, else the id of the job that makes it.

        Raises:
            IdempotencyConflict: the key was used for another request (409).
            QueueFull, QuotaExceeded, NoWorker: no job can be made; nothing is left behind.
        """
        if idempotency is not None and (first := recall(idempotency)) is not None:
            again = self._again(first, idempotency)
            if again is not None:
                return again
            idempotency = None  # what the first request got is deleted by now: answer anew
        key = asked.cache_key
        kept = None
        if self._settings.cache_enabled:
            kept = cache.find(self._settings, asked.caller.owner_id, key)
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
        given = asked.job_params(self._settings, key)
        content = asked.text.encode()
        if len(content) <= INLINE_BYTES:
            params = ShortText.model_validate({**given, "text": asked.text})
            return self._make(SHORT, params, asked, idempotency, batch_id).job_id
        blob = blobs.store(
            content,
            owner_id=asked.caller.owner_id,
            media_type=INPUT_MEDIA_TYPE,
            expires_at=datetime.now(UTC) + timedelta(hours=INPUT_HOURS),
            quota_bytes=asked.caller.storage_quota_bytes,
        )
        try:
            long = LongText.model_validate({**given, "input": blob.id})
            made = self._make(LONG, long, asked, idempotency, batch_id)
        except DatabaseUnavailable:  # the job may have been made all the same; INPUT_HOURS ends the text if not
            raise
        except BaseException:
            blobs.delete(blob.id)
            raise
        if not made.created:  # an earlier job is the answer
            blobs.delete(blob.id)
        return made.job_id

    @staticmethod
    def _make(
        kind: str, params: ShortText | LongText, asked: Asked, idempotency: Idempotency | None, batch_id: UUID | None
    ) -> Submission:
        return submit(
            kind,
            params,
            owner_id=asked.caller.owner_id,
            correlation_id=asked.correlation_id,
            batch_id=batch_id,
            idempotency=idempotency,
            job_quota=asked.caller.job_quota,
            webhook=asked.webhook,
            title=asked.title,
        )
