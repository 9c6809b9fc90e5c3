"""The model of test_state_machine.py: what the table should say of each job, and whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from thetool.jobs.claims import Claim

KEY_LIMITS = {"alone": 1, "a pair": 2}
UNFINISHED = ("queued", "running")


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


class Model:
    """All jobs, who has which of them, and what their completions wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[UUID, Entry] = {}
        self.ledger: set[UUID] = set()
        self.taken: list[Claim] = []
        self.moments = 0

    def has_unfinished(self, dedupe: str) -> bool:
        return any(entry.dedupe == dedupe and entry.status in UNFINISHED for entry in self.jobs.values())

    def holder(self, claim: Claim) -> Entry | None:
        """The job that this claim still holds."""
        entry = self.jobs[claim.id]
        return entry if entry.status == "running" and entry.token == claim.token else None

    def moment(self) -> int:
        self.moments += 1
        return self.moments

    def ready(self) -> list[Entry]:
        """What may be claimed, in order: for jobs with a key, only as far as that has room."""
        ready = sorted((entry for entry in self.jobs.values() if entry.status == "queued"), key=Entry.turn)
        return [entry for entry in ready if self.has_room(entry.key)]

    def has_room(self, key: str | None) -> bool:
        running = sum(entry.status == "running" and entry.key == key for entry in self.jobs.values())
        return key is None or running < KEY_LIMITS[key]

    def complete_in_model(self, claim: Claim) -> bool:
        entry = self.holder(claim)
        if entry is None or entry.cancel:
            return False
        entry.status = "completed"
        return True

    def is_completed(self, claim: Claim) -> bool:
        entry = self.jobs[claim.id]
        return entry.status == "completed" and entry.token == claim.token
