"""A job as the model of test_state_machine.py sees it: what the table should say of it, and whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass
class Entry:
    """What the model knows of a job. `due` numbers the moments at which jobs became ready."""

    id: UUID
    due: int
    priority: int
    max_attempts: int
    key: str | None
    dedupe: str | None
    status: str = "queued"
    attempts: int = 0
    lost: int = 0
    token: UUID | None = None
    worker: UUID | None = None
    cancel: bool = False
    expired: bool = False

    def seen(self) -> tuple[Any, ...]:
        return self.status, self.attempts, self.lost, self.token, self.worker, self.cancel

    def turn(self) -> tuple[int, int]:
        """Jobs of a higher priority go first: it counts for minutes, and a walk takes seconds."""
        return -self.priority, self.due

    def put_back(self, status: str) -> None:
        self.status, self.token, self.worker, self.expired = status, None, None, False

    def stopped(self, status: str) -> None:
        """Ended or to be tried again, unless somebody asked to cancel it."""
        self.put_back("cancelled" if self.cancel else status)
