"""How an attempt at a job ended, and writing that down."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import psycopg2
import psycopg2.errors
import structlog

from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.active import Running
from thetool.jobs.claims import Claim, Ending, Wish
from thetool.jobs.context import Cancelled, Interrupted, LostClaim, Suspended, TimedOut
from thetool.jobs.failure import Failure, backoff_seconds, failure_of
from thetool.jobs.groups import family
from thetool.jobs.queue import Queue
from thetool.jobs.reporting import flush
from thetool.jobs.results import Completed, unstorable
from thetool.jobs.schedules.tally import count_end
from thetool.jobs.slots import Slot
from thetool.jobs.snapshot import JobSnapshot
from thetool.jobs.waiters import Waiters
from thetool.telemetry.logs import bound

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
MOST_CANCELLED = 3
"""So often a callback may ask for what takes longer than a statement may: then it is not Postgres that is away."""


Outcome = Completed | Failure | type[Interrupted]
Done = tuple[Running, Completed]


class Settlement:
    """Writes outcomes into the database, and tells who waits in this process.

    The work is done by then, so a database that is away is waited for; a claim lost meanwhile makes the write nothing.

    Args:
        given_up: true once the runner closes; then an outcome that cannot be written is left to the lease.
        look_in: told after how many seconds a job is to be tried again.
    """

    def __init__(
        self, queue: Queue, waiters: Waiters, *, given_up: Callable[[], bool], look_in: Callable[[float], None]
    ) -> None:
        self._queue = queue
        self._waiters = waiters
        self._given_up = given_up
        self._look_in = look_in

    def settle(self, running: Running, outcome: Outcome) -> None:
        """Write down how the attempt ended."""
        claim = running.claim
        if isinstance(outcome, Completed):
            status = self._complete(running, outcome)
        elif isinstance(outcome, Failure):
            status = self._fail(running, outcome)
        else:
            status = self._stop(running, outcome)
        if status is not None:
            count_end(claim.kind, status, running.seconds)
        elif not running.abandoned:
            log.warning("the claim was lost; what this attempt did is not kept", attempt=claim.attempt)

    def complete_all(self, done: Sequence[Done], slot: Slot, wish: Wish | None) -> list[Claim]:
        """Write down that these jobs of a slot are completed, and claim what it wishes for in the same statement."""
        try:
            written = self._persist(lambda: self._write_results(done, slot, wish))
        except psycopg2.Error:  # one of the results is not storable: find out which
            for running, outcome in done:
                with log_context(running.claim):
                    self.settle(running, outcome)
            return []
        if written is None:
            return []
        self._note_completed(done, written[0])
        return written[1]

    def complete_now(self, done: Sequence[Done]) -> list[Done]:
        """The same, without waiting for a database that is away; gives those whose results cannot be stored.

        Raises:
            DatabaseUnavailable: it is away.
        """
        try:
            kept = self._queue.complete_all(self._endings(done))
        except psycopg2.Error:
            if len(done) == 1:
                return list(done)
            return [refused for one in done for refused in self.complete_now([one])]
        self._note_completed(done, kept)
        return []

    def expire(self, running: Running) -> bool:
        """Fail a job that did not stop when its time was up; its thread may live on, but can change nothing.

        Returns:
            False when the claim no longer holds: it finished at the last moment, or was lost.

        Raises:
            DatabaseUnavailable: Postgres is away; try again.
        """
        failure = timeout_failure(running.claim.timeout)
        status = self._queue.fail(running.claim, failure)
        if status is not None:
            count_end(running.claim.kind, status, time.monotonic() - running.began)
            self._tell(running, status, failure=failure if status == "failed" else None)
        return status is not None

    def _complete(self, running: Running, outcome: Completed) -> str | None:
        try:
            kept = self._persist(lambda: self._write_result(running, outcome), most_cancelled=MOST_CANCELLED)
        except Interrupted as interruption:  # a callback asked whether to stop
            return self._stop(running, type(interruption))
        except BaseException as error:
            log.exception("the job's end cannot be stored")
            if isinstance(error, psycopg2.DataError) and not outcome.callbacks:
                return self._fail(running, unstorable(f"The result cannot be stored: {error}"))
            return self._fail(running, failure_of(error))
        if not kept:
            return self._stop(running, Cancelled)
        self._tell(running, "completed", result=outcome.result)
        return "completed"

    def _stop(self, running: Running, how: type[Interrupted]) -> str | None:
        claim = running.claim
        if issubclass(how, LostClaim):
            return None
        if issubclass(how, TimedOut):
            return self._fail(running, timeout_failure(claim.timeout))
        if issubclass(how, Suspended):
            return self._suspend(running)
        status = self._persist(lambda: self._queue.finish_cancelled(claim))
        self._tell(running, status)
        return status

    def _suspend(self, running: Running) -> str | None:
        """Lay the job aside until its children are finished."""
        flush(self._queue, running)
        try:
            kept = self._persist(lambda: family.suspend(self._queue, running.claim, running.context.spawned))
        except Exception as error:
            log.exception("the job's children cannot be made")
            return self._fail(running, failure_of(error))
        return "queued" if kept else self._stop(running, Cancelled)

    def _write_result(self, running: Running, outcome: Completed) -> bool:
        notify = not self._waiters.only_here(running.claim.id)
        return self._queue.complete(running.claim, outcome.result, callbacks=outcome.callbacks, notify=notify)

    def _write_results(self, done: Sequence[Done], slot: Slot, wish: Wish | None) -> tuple[set[UUID], list[Claim]]:
        endings = self._endings(done)
        if wish is None or not slot.group.looking:
            return self._queue.complete_all(endings), []
        kept, claims = self._queue.complete_and_claim(endings, wish)
        if not claims:
            slot.found_nothing()
        return kept, claims

    def _endings(self, done: Sequence[Done]) -> list[Ending]:
        only_here = self._waiters.only_here
        return [Ending(running.claim, outcome.result, not only_here(running.claim.id)) for running, outcome in done]

    def _note_completed(self, done: Sequence[Done], kept: set[UUID]) -> None:
        for running, outcome in done:
            if running.claim.id in kept:
                count_end(running.claim.kind, "completed", running.seconds)
                self._tell(running, "completed", result=outcome.result)
            else:
                with log_context(running.claim):
                    self.settle(running, Cancelled)

    def _fail(self, running: Running, failure: Failure) -> str | None:
        claim = running.claim
        if failure.transient and claim.attempt < claim.max_attempts:
            seconds = backoff_seconds(claim.attempt, failure.retry_after)
            status = self._persist(lambda: self._queue.retry(claim, failure, seconds))
            self._look_in(seconds)
            log.info("the job is tried again", code=failure.code, error=failure.message, seconds=round(seconds, 1))
        else:
            status = self._persist(lambda: self._queue.fail(claim, failure))
            log.warning("the job failed", code=failure.code, error=failure.message)
        if status != "queued":
            self._tell(running, status, failure=failure if status == "failed" else None)
        return status

    def _persist(self, write: Callable[[], Answer], *, most_cancelled: float = math.inf) -> Answer | None:
        pause, cancelled = FIRST_PAUSE_SECONDS, 0
        while True:
            try:
                return write()
            except DatabaseUnavailable as error:
                cancelled += isinstance(error.__cause__, psycopg2.errors.QueryCanceled)
                if cancelled >= most_cancelled:
                    raise
                if self._given_up():
                    log.warning("the outcome could not be written; the lease will run out", error=str(error))
                    return None
                log.info("the outcome waits for the database", error=str(error))
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  not a secret
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _tell(
        self, running: Running, status: str | None, *, result: str | None = None, failure: Failure | None = None
    ) -> None:
        """Wake those who wait here; they need not ask the database."""
        claim = running.claim
        if not self._waiters.awaited(claim.id):
            self._waiters.finished(claim.id, None)
            return
        snapshot = status and JobSnapshot(
            id=claim.id,
            kind=claim.kind,
            owner_id=claim.owner_id,
            status=status,
            stage=running.stage,
            message=None,  # what it was about to do
            progress=1.0 if status == "completed" else running.fraction,
            attempts=claim.attempt,
            max_attempts=claim.max_attempts,
            result_json=result,
            error=failure.as_dict() if failure else None,
            correlation_id=claim.correlation_id,
            created_at=claim.created_at,
            started_at=claim.started_at,
            finished_at=datetime.now(UTC),
        )
        self._waiters.finished(claim.id, snapshot or None)


def log_context(claim: Claim) -> AbstractContextManager[None]:
    """Names the job on each log line inside the block."""
    return bound(correlation_id=claim.correlation_id, job_id=str(claim.id), kind=claim.kind)


def timeout_failure(seconds: float) -> Failure:
    """The error of a job whose time was up."""
    return Failure("timeout", f"It was stopped because it took longer than {seconds:g} seconds.")
