"""A job as it was at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import orjson

FINISHED = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True)
class JobSnapshot:
    """A job as it was at one moment. `error` is `{code, message, traceback}`; times know their zone."""

    id: UUID
    kind: str
    owner_id: UUID
    status: str
    stage: str | None
    message: str | None
    progress: float
    attempts: int
    max_attempts: int
    result_json: str | None
    error: dict[str, Any] | None
    correlation_id: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def finished(self) -> bool:
        """Whether the job is completed, failed or cancelled."""
        return self.status in FINISHED

    @cached_property
    def result(self) -> dict[str, Any] | None:
        """The result as plain JSON types; None until the job is completed."""
        return None if self.result_json is None else orjson.loads(self.result_json)
