"""One content with everything that decides about its answer, and the job that makes that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from thetool.access.caller import Caller
from thetool.analyze import cache
from thetool.analyze.content import Content, Image, Table, Text
from thetool.analyze.jobs import LONG, PHOTO, SHORT, LongText, Photo, ShortText
from thetool.analyze.options import Options
from thetool.analyze.remarks import Skipped
from thetool.analyze.table_job import TABLE, TableFile
from thetool.analyze.tasks import Plan, plan
from thetool.config import Settings
from thetool.jobs.webhooks.asked import Webhook
from thetool.text.topics import SAMPLE_CHARACTERS
from thetool.web.problems import ValidationFailed

INLINE_BYTES = 65_536
"""A longer text goes to storage: rows of the queue stay small."""
MAX_CHARACTERS_WITH_SENTENCES = 2_000_000
"""Each sentence's own sentiment takes more room than the text; a longer result could not be stored."""


@dataclass(frozen=True)
class Asked(ABC):
    """What is asked of one content; each kind has its own job and its own options."""

    content: Content
    options: Options
    plan: Plan
    caller: Caller
    correlation_id: str
    webhook: Webhook | None

    @property
    @abstractmethod
    def job_kind(self) -> str:
        """The kind of job that makes the analysis."""

    @property
    @abstractmethod
    def is_stored(self) -> bool:
        """Whether the content goes to storage, and not with the job."""

    @property
    @abstractmethod
    def choices(self) -> dict[str, Any]:
        """The options that change the result, as the job takes them."""

    @abstractmethod
    def params(self, given: dict[str, Any], stored: UUID | None) -> BaseModel:
        """The job's parameters: what all kinds are given, and where the content is."""

    @property
    def cache_key(self) -> bytes:
        """What identifies the result."""
        return cache.key_of(
            self.caller.owner_id, self.content.kind, self.content.sha256, self.plan, list(self.choices.values())
        )

    @property
    def by_name(self) -> bool:
        """Whether the request names its tasks."""
        return bool(self.options.tasks)

    def job_params(self, settings: Settings, key: bytes, stored: UUID | None) -> BaseModel:
        """What the job is told."""
        skipped = [Skipped(task=task, reason=what, how=how) for task, what, how in self.plan.unavailable]
        common = {
            "tasks": self.plan.tasks,
            "skipped": skipped,
            "cache_key": key.hex(),
            "keep_seconds": settings.analysis_retention_hours * 3600,
            "by_name": self.by_name,
        }
        return self.params({**common, **self.choices}, stored)


@dataclass(frozen=True)
class AskedText(Asked):
    """What is asked of a text."""

    content: Text

    @property
    def job_kind(self) -> str:
        """A long text is analyzed apart."""
        return LONG if self.is_stored else SHORT

    @property
    def is_stored(self) -> bool:
        """When it is long."""
        return len(self.content.data) > INLINE_BYTES

    @property
    def choices(self) -> dict[str, Any]:
        """Each only where it makes a difference: options that change nothing share the answer."""
        tasks = self.plan.tasks
        return {
            "labels": self.options.topic_labels() if "topics" in tasks else None,
            "each_sentence": self.options.sentences and "sentiment" in tasks,
            "by_name": self.by_name and not {"sentiment", "topics"}.isdisjoint(tasks),
            "exhaustive": self.options.exhaustive and "topics" in tasks and len(self.content.text) > SAMPLE_CHARACTERS,
            "from_html": self.content.from_html,
        }

    def params(self, given: dict[str, Any], stored: UUID | None) -> BaseModel:
        """With the text itself, or with where it is stored."""
        if stored is None:
            return ShortText.model_validate({**given, "text": self.content.text})
        return LongText.model_validate({**given, "input": stored})


@dataclass(frozen=True)
class AskedImage(Asked):
    """What is asked of an image."""

    content: Image
    job_kind = PHOTO
    is_stored = True

    @property
    def choices(self) -> dict[str, Any]:
        """Each only where it makes a difference."""
        return {
            "annotate": self.options.annotate,
            "location": self.options.location and "info" in self.plan.tasks,
        }

    def params(self, given: dict[str, Any], stored: UUID | None) -> BaseModel:
        """With where it is stored."""
        return Photo.model_validate({**given, "input": stored})


@dataclass(frozen=True)
class AskedTable(Asked):
    """What is asked of a table."""

    content: Table
    job_kind = TABLE
    is_stored = True

    @property
    def choices(self) -> dict[str, Any]:
        """Each only where it makes a difference. The name is told in the answer, and its ending tells the format."""
        reading = self.options.reading(self.content.charset)
        market = self.options.market() if "market" in self.plan.tasks else None
        return {
            "filename": self.content.filename,
            "reading": reading.model_dump(mode="json", exclude_defaults=True),
            "market": market and market.model_dump(mode="json", exclude_defaults=True),
            "by_name": self.by_name and "market" in self.plan.tasks,
        }

    def params(self, given: dict[str, Any], stored: UUID | None) -> BaseModel:
        """With where it is stored."""
        return TableFile.model_validate({**given, "input": stored})


def ask(
    content: Content,
    options: Options,
    caller: Caller,
    correlation_id: str,
    settings: Settings,
    webhook: Webhook | None = None,
) -> Asked:
    """Decide which tasks the content gets.

    Raises:
        ValidationFailed: an unknown task, or sentences wanted of a very long text.
        WeightsUnavailable: a task asked for by name has no weights here.
    """
    chosen = plan(content.kind, options.tasks, settings)
    if isinstance(content, Image):
        return AskedImage(content, options, chosen, caller, correlation_id, webhook)
    if isinstance(content, Table):
        return AskedTable(content, options, chosen, caller, correlation_id, webhook)
    if options.sentences and len(content.text) > MAX_CHARACTERS_WITH_SENTENCES:
        most = f"is for texts of up to {MAX_CHARACTERS_WITH_SENTENCES:,} characters; this has {len(content.text):,}"
        raise ValidationFailed.of_fields([("sentences", most, "body")])
    return AskedText(content, options, chosen, caller, correlation_id, webhook)
