"""Running claimed jobs in the thread of a slot: one after another, their ends written down together."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from thetool.jobs import attempt, registry
from thetool.jobs.active import ActiveJobs, Running
from thetool.jobs.children import Nursery
from thetool.jobs.claims import Claim, Wish
from thetool.jobs.context import JobContext
from thetool.jobs.failure import failure_of
from thetool.jobs.outcome import Done, Outcome, Settlement, log_context
from thetool.jobs.pace import QUICK_SECONDS, Pace
from thetool.jobs.queue import Queue
from thetool.jobs.reporting import Reporter
from thetool.jobs.results import Completed
from thetool.jobs.slots import Slot

log = structlog.get_logger(__name__)


class Batch:
    """The jobs that a slot claimed at once: those that wait for their turn, and those whose end is not written yet.

    Whoever writes early holds `writing`, so that the slot does not leave while there may be something to put back.
    """

    def __init__(self, jobs: Sequence[Running], slot: Slot) -> None:
        self.jobs = tuple(jobs)
        self.slot = slot
        self.writing = threading.Lock()
        self._lock = threading.Lock()
        self._waiting = deque(jobs)
        self._done: list[Done] = []
        self._refused: list[Done] = []
        self._since = time.monotonic()
        self._was_late = False

    def next(self) -> Running | None:
        """The next job to run."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
        with self.writing, self._lock:
            return self._waiting.popleft() if self._waiting else None

    def keep(self, done: Done) -> None:
        """A job was completed, and is to be written down with the others."""
        done[0].deadline = math.inf
        with self._lock:
            self._done.append(done)

    def take_done(self) -> list[Done]:
        """What is to be written down; whoever takes it does that."""
        with self.writing, self._lock:
            done, self._done, self._refused = self._done + self._refused, [], []
            return done

    def leave(self, refused: list[Done]) -> None:
        """Postgres takes none of these ends: the slot fails their jobs when it is done."""
        with self._lock:
            self._refused += refused

    def overdue(self, now: float) -> bool:
        """Whether it takes longer than expected; says so once."""
        if self._was_late or now - self._since < QUICK_SECONDS:
            return False
        self._was_late = True
        return True

    def take_overdue(self, now: float) -> tuple[list[Done], list[Running]]:
        """What must not wait for the job that runs now: what is done, and what was not begun. Nothing in good time."""
        with self._lock:
            if now - self._since < QUICK_SECONDS:
                return [], []
            done, self._done, waiting = self._done, [], list(self._waiting)
            self._waiting.clear()
            return done, waiting

    def put_back(self, done: list[Done], waiting: list[Running]) -> None:
        """What was taken could not be written."""
        with self._lock:
            self._done = done + self._done
            self._waiting.extendleft(reversed(waiting))


class Batches:
    """The batches of a runner.

    Args:
        wish_after: what a slot would do next, if it may find something.
    """

    def __init__(
        self,
        queue: Queue,
        active: ActiveJobs,
        settlement: Settlement,
        nursery: Nursery,
        pace: Pace,
        *,
        wish_after: Callable[[Slot], Wish | None],
    ) -> None:
        self._queue = queue
        self._active = active
        self._settlement = settlement
        self._nursery = nursery
        self._pace = pace
        self._wish_after = wish_after
        self._open: set[Batch] = set()

    def work(self, claims: list[Claim], slot: Slot) -> list[Claim]:
        """Run these jobs to their ends, in the thread of their slot; gives those that were claimed with the ends."""
        batch = Batch([self._begin(claim, slot) for claim in claims], slot)
        emptied = slot.asked_for_more_than(claims)
        if slot.asked > 1:
            self._open.add(batch)
        try:
            while (running := batch.next()) is not None:
                with log_context(running.claim):
                    self._run(running, batch)
            done, wish = batch.take_done(), None if emptied else self._wish_after(slot)
            return self._settlement.complete_all(done, slot, wish) if done else []
        finally:
            self._open.discard(batch)
            for running in batch.jobs:
                self._active.remove(running)

    def hurry(self, now: float) -> None:
        """Let nothing wait for a job that takes longer than its kind usually does.

        Raises:
            DatabaseUnavailable: Postgres is away; the slots write the ends when it is back.
        """
        for batch in list(self._open):
            if batch.overdue(now):
                batch.slot.group.wake()  # whose other slots left it to this one to look again
            with batch.writing:
                self._write_overdue(batch, now)

    def _write_overdue(self, batch: Batch, now: float) -> None:
        """Write down what must not wait for the job that runs now, and give back what was not begun."""
        done, waiting = batch.take_overdue(now)
        try:
            if waiting:
                self._queue.give_back([running.claim for running in waiting])
                self._active.remove(*waiting)
                waiting = []
            if done:
                refused = self._settlement.complete_now(done)
                batch.leave(refused)
                self._active.remove(*(running for running, end in done if (running, end) not in refused))
        except BaseException:
            batch.put_back(done, waiting)
            raise

    def _begin(self, claim: Claim, slot: Slot) -> Running:
        running = Running(claim, slot)
        running.context = JobContext(
            job_id=claim.id,
            owner_id=claim.owner_id,
            correlation_id=claim.correlation_id,
            attempt=claim.attempt,
            claim_token=claim.token,
            desk=Reporter(self._queue, running),
        )
        self._active.add(running)
        return running

    def _run(self, running: Running, batch: Batch) -> None:
        outcome = self._attempt(running)
        if isinstance(outcome, Completed) and not outcome.callbacks:
            batch.keep((running, outcome))
        else:
            self._settlement.settle(running, outcome)
            self._active.remove(running)

    def _attempt(self, running: Running) -> Outcome:
        if running.context.interruption is not None:  # while it waited for its turn
            return running.context.interruption
        running.begin()
        name = running.claim.kind
        try:
            kind = registry.get_kind(name)
            outcome = self._nursery.run(kind, running) if kind.runs == "process" else attempt.run_here(kind, running)
        except BaseException as error:  # our own mistake: a job left without an end would be run again for ever
            log.exception("a job failed outside of its handler")
            outcome = failure_of(error)
        running.end()
        running.slot.last_kind = name
        self._pace.note(name, running.seconds)
        return outcome
