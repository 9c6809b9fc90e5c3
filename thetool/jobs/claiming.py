"""Taking jobs out of the queue, and writing down that they are done: what costs most, so one statement for many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog

from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.claims import Claim, Ending, Wish
from thetool.jobs.connection import QueueConnection

MOST_LOOKS = 100
MOST_PAGES = 10
KEYS_AT_ONCE = 100  # as queries.sql has it
TOLD_AT_ONCE = 200  # a notification holds 8,000 bytes

log = structlog.get_logger(__name__)


class Claiming:
    """The worker's half of the queue. `look_in` is told after how many seconds a look may find what it does not now."""

    connection: QueueConnection
    lease: float
    keep: float

    def __init__(self) -> None:
        self.look_in: Callable[[float], None] = lambda seconds: None
        self._stuck_after = ""

    def claim(self, wish: Wish) -> list[Claim]:
        """Take the next ready jobs that a worker wishes for: by priority, which grows with the time that they wait."""
        return self.complete_and_claim((), wish)[1]

    def complete(
        self, claim: Claim, result: str, *, callbacks: Sequence[Callable[[Any], None]] = (), notify: bool = True
    ) -> bool:
        """Finish a job with its result (JSON text), in one transaction with the callbacks.

        Returns:
            False when the claim no longer holds, or somebody asked to cancel: then nothing is kept, nothing was called.
            True, and nothing is called again, where a first try was kept whose answer was lost.

        Raises:
            Exception: whatever a callback raised; nothing is kept then.
        """
        ended = (Ending(claim, result, notify),)
        if not callbacks:
            return bool(self.complete_all(ended))
        with self.connection.transaction() as cursor:
            if self.connection.run("complete", self._endings(ended)):
                for callback in callbacks:
                    callback(cursor)
            elif not self._completed_of(ended):
                return False
        self._tell_of(ended, {claim.id})
        return True

    def complete_all(self, ended: Sequence[Ending]) -> set[UUID]:
        """Finish jobs with their results; gives those whose claim held and that nobody asked to cancel."""
        rows = self.connection.run("complete", self._endings(ended))
        kept = {job_id for (job_id,) in rows} if len(rows) == len(ended) else self._completed_of(ended)
        self._tell_of(ended, kept)
        return kept

    def complete_and_claim(self, ended: Sequence[Ending], wish: Wish) -> tuple[set[UUID], list[Claim]]:
        """Finish jobs, as `complete_all` does, and take the next ones; these are independent of each other.

        Returns:
            The jobs whose completion was kept; and the new claims, in the order in which they are to run.
        """
        kept, claims, with_keys = self._turn(ended, wish)
        self._tell_of(ended, kept)
        for _ in range(MOST_LOOKS):
            if with_keys is None:
                break
            claims = self._claim_keyed(with_keys, wish)
            if claims:
                break
            _, claims, with_keys = self._turn((), wish)
        else:
            self.look_in(0)  # more keys without room than one look goes through: behind them there may be work
        return kept, claims

    def give_back(self, claims: Iterable[Claim]) -> list[UUID]:
        """Put claimed jobs that were not begun back, with the attempt not used; gives those whose claim held."""
        rows = self.connection.run("give_back", {**keys_of(youngest_first(claims)), "keep": self.keep})
        return [job_id for job_id, _ in rows]

    def give_back_unheard(self, worker_id: UUID, heard_of: Iterable[Claim]) -> list[UUID]:
        """Put back what this worker claimed some seconds ago and knows nothing of, with the attempt not used.

        Such a claim comes of a connection that broke after the commit: the statement is tried again, and takes others.
        """
        values = {"worker_id": worker_id, "tokens": keys_of(list(heard_of))["tokens"], "keep": self.keep}
        return [job_id for job_id, _ in self.connection.run("give_back_unheard", values)]

    def release(self) -> None:
        """Let jobs go that were held for their rate, and whose time has come."""
        waits = [seconds for (seconds,) in self.connection.run("release_rates")]
        for seconds in waits:
            if seconds is not None:
                self.look_in(seconds)
        if len(waits) == KEYS_AT_ONCE:
            self.look_in(0)

    def release_stuck(self) -> None:
        """Let jobs go whose concurrency key has room though none of its jobs ended.

        Goes through a thousand keys, a hundred at a time, and goes on there next time.
        """
        for _ in range(MOST_PAGES):
            rows = self.connection.run("release_stuck", {"after": self._stuck_after})
            self._stuck_after = rows[-1][0] if len(rows) == KEYS_AT_ONCE else ""
            if not self._stuck_after:
                return

    def _turn(self, ended: Sequence[Ending], wish: Wish) -> tuple[set[UUID], list[Claim], UUID | None]:
        """One statement; the third that it gives is the next job if that has keys and is not claimed yet."""
        rows = self.connection.run(
            "complete_and_claim", {**self._endings(ended), **wish.as_parameters(), "lease": self.lease}
        )
        done, _, claimed, first = rows[0][:4]
        kept = {ending.claim.id for ending in ended} if done == len(ended) else self._completed_of(ended)
        if not claimed:
            return kept, [], first
        return kept, [Claim(*row[3:-1]) for row in rows], None

    def _claim_keyed(self, job_id: UUID, wish: Wish) -> list[Claim]:
        """Take a job that has keys, if they have room now."""
        rows = self.connection.run("claim_keyed", {"id": job_id, "worker_id": wish.worker_id, "lease": self.lease})
        for claimed, *values, seconds in rows:
            if claimed:
                return [replace(Claim(*values), alone=True)]
            if seconds is not None:
                self.look_in(seconds)
        return []

    def _endings(self, ended: Sequence[Ending]) -> dict[str, Any]:
        if len(ended) > 1:
            ended = sorted(ended, key=lambda ending: ending.claim.id, reverse=True)
        return {
            **keys_of([ending.claim for ending in ended]),
            "results": [ending.result for ending in ended],
            "keep": self.keep,
        }

    def _tell_of(self, ended: Sequence[Ending], kept: set[UUID]) -> None:
        """Tell other processes of the ends that were kept. A word that is lost costs those who wait there a second."""
        told = [str(ending.claim.id) for ending in ended if ending.notify and ending.claim.id in kept]
        try:
            for first in range(0, len(told), TOLD_AT_ONCE):
                self.connection.run("tell_ends", {"ids": ",".join(told[first : first + TOLD_AT_ONCE])})
        except DatabaseUnavailable as error:
            log.info("who waits for jobs elsewhere looks by itself", error=str(error))

    def _completed_of(self, ended: Sequence[Ending]) -> set[UUID]:
        """Which completions were kept, perhaps by this same statement, whose first answer was lost."""
        rows = self.connection.run("completed_of", keys_of([ending.claim for ending in ended]))
        return {job_id for (job_id,) in rows}


def youngest_first(claims: Iterable[Claim]) -> list[Claim]:
    """The order in which all lock several rows, so that nobody waits in a circle."""
    return sorted(claims, key=lambda claim: claim.id, reverse=True)


def keys_of(claims: Sequence[Claim]) -> dict[str, str]:
    """Ids and tokens as two array literals: Postgres reads one of those faster than as many values."""
    return {
        "ids": "{" + ",".join([str(claim.id) for claim in claims]) + "}",
        "tokens": "{" + ",".join([str(claim.token) for claim in claims]) + "}",
    }
