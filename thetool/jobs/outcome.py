"""How an attempt at a job ended, and writing that down."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import psycopg2
import structlog

from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.active import Running
from thetool.jobs.claims import Ending
from thetool.jobs.context import Cancelled, Interrupted, LostClaim, TimedOut
from thetool.jobs.failure import Failure, backoff_seconds, failure_of
from thetool.jobs.queue import Queue
from thetool.jobs.results import Completed, unstorable
from thetool.jobs.schedules.tally import count_end
from thetool.jobs.snapshot import JobSnapshot
from thetool.jobs.waiters import Waiters

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0


Outcome = Completed | Failure | type[Interrupted]


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
        claim, seconds = running.claim, time.monotonic() - running.began
        if isinstance(outcome, Completed):
            status = self._complete(running, outcome)
        elif isinstance(outcome, Failure):
            status = self._fail(running, outcome)
        else:
            status = self._stop(running, outcome)
        if status is not None:
            count_end(claim.kind, status, seconds)
        elif not running.abandoned:
            log.warning("the claim was lost; what this attempt did is not kept", attempt=claim.attempt)

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
            kept = self._persist(lambda: self._write_result(running, outcome))
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
        status = self._persist(lambda: self._queue.finish_cancelled(claim))
        self._tell(running, status)
        return status

    def _write_result(self, running: Running, outcome: Completed) -> bool:
        claim, wish = running.claim, running.wish
        notify = not self._waiters.only_here(claim.id)
        if wish is None or outcome.callbacks or not running.slot.group.looking:
            return self._queue.complete(claim, outcome.result, callbacks=outcome.callbacks, notify=notify)
        kept, claims = self._queue.complete_and_claim([Ending(claim, outcome.result, notify)], wish)
        running.next = claims[0] if claims else None
        if running.next is None:
            running.slot.found_nothing()
        return bool(kept)

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

    def _persist(self, write: Callable[[], Answer]) -> Answer | None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return write()
            except DatabaseUnavailable as error:
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
            message=running.message,
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


def timeout_failure(seconds: float) -> Failure:
    """The error of a job whose time was up."""
    return Failure("timeout", f"It was stopped because it took longer than {seconds:g} seconds.")
