"""A job on its way into the queue, and a job that a worker has taken out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class NewJob:
    """What `enqueue` stores. `params` is JSON text; `run_at` None is now.

    `keep` is for how many seconds it is kept after its end; None is as long as jobs are kept. `concurrency_limit` jobs
    with the same `concurrency_key` run at a time; `rate_limit` with the same `rate_key` begin within `rate_seconds`.
    `webhook_url` is told of its end, signed with the secret of `webhook_key_id` (None: the master key's).
    """

    id: UUID
    kind: str
    queue: str
    runs: str
    params: str
    owner_id: UUID
    timeout: float
    max_attempts: int
    correlation_id: str | None = None
    priority: int = 0
    run_at: datetime | None = None
    dedupe_key: str | None = None
    idempotency_key: str | None = None
    batch_id: UUID | None = None
    parent_id: UUID | None = None
    title: str | None = None
    keep: float | None = None
    concurrency_key: str | None = None
    concurrency_limit: int | None = None
    rate_key: str | None = None
    rate_limit: int | None = None
    rate_seconds: float | None = None
    webhook_url: str | None = None
    webhook_key_id: UUID | None = None

    def as_parameters(self) -> dict[str, Any]:
        """The values by the names that queries.sql uses."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def ordinary(self) -> bool:
        """Whether nothing is said of it but what every job needs."""
        return (
            self.run_at is None
            and self.dedupe_key is None
            and self.idempotency_key is None
            and self.batch_id is None
            and self.parent_id is None
            and self.title is None
            and self.keep is None
            and self.webhook_url is None
            and not self.keyed
        )

    @property
    def keyed(self) -> bool:
        """Whether others with the same key may keep it from beginning."""
        return self.concurrency_key is not None or self.rate_key is not None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to tell that a job is finished, and the key (None: the master key) whose secret signs."""

    url: str
    key_id: UUID | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a worker takes for one of its slots: jobs of one queue that run in one way, of the kinds that it knows.

    Up to `limit` at a time where they are of the `quick` kinds; one at a time of the others.
    """

    worker_id: UUID
    queue: str
    runs: str
    kinds: tuple[str, ...]
    quick: tuple[str, ...] = ()
    limit: int = 1

    def as_parameters(self) -> dict[str, Any]:
        """The values by the names that queries.sql uses."""
        return {
            "worker_id": self.worker_id,
            "queue": self.queue,
            "runs": self.runs,
            "kinds": list(self.kinds),
            "quick": list(self.quick),
            "limit": self.limit,
        }


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at a job by one worker. Every later write names the `token`: an old one changes nothing.

    `alone`: it was taken by itself because it has keys, whatever else is ready.
    """

    id: UUID
    kind: str
    params: str
    owner_id: UUID
    correlation_id: str | None
    attempt: int
    max_attempts: int
    timeout: float
    token: UUID
    created_at: datetime
    started_at: datetime
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """A claimed job that is done, with its result as JSON text. `notify`: somebody elsewhere may want to hear of it."""

    claim: Claim
    result: str
    notify: bool = True
