"""The thread that keeps a worker's claims and its row alive, and takes back the jobs of workers that fell silent."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Callable, Iterable
from uuid import UUID

import structlog

from thetool import __version__
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.active import ActiveJobs
from thetool.jobs.context import Cancelled, LostClaim
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.schedules.tally import count_lost

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 1.0
"""What the end of a job does in its transaction may hold the worker's connection for half a minute, and its claims must
not run out meanwhile: after so long the process's other one is used, that of requests."""


class LeaseKeeper:
    """Renews all claims in one statement every third of a lease, in a thread that no job can hold up.

    Args:
        queue: the process's queue.
        worker_id: this worker.
        active: what runs here.
        kinds: the names of the kinds that it takes now.
        slots: how many jobs it runs at a time.
    """

    def __init__(
        self, queue: Queue, worker_id: UUID, active: ActiveJobs, *, kinds: Callable[[], Iterable[str]], slots: int
    ) -> None:
        self.draining = False
        self.promised: frozenset[str] = frozenset()
        """Kinds that a successor takes in a moment: a submit may count on them although this worker drains."""
        self._queue = queue
        self._worker_id = worker_id
        self._active = active
        self._kinds = kinds
        self._slots = slots
        self._was_away = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def start(self) -> None:
        """Say that this worker lives (if Postgres does), and go on saying so."""
        self._turn()
        self._thread.start()

    def drain(self) -> None:
        """Say at once that this worker takes no further jobs: a submit must not count on it."""
        if self.draining:
            return
        self.draining = True
        self.tell()

    def tell(self) -> None:
        """Say at once what has changed; where the database is away, the next heartbeat does."""
        if not self._thread.is_alive():
            return
        try:
            self.say(self._queue)
        except DatabaseUnavailable as error:
            log.info("the next heartbeat says what has changed", error=str(error))

    def close(self) -> None:
        """Stop, give back what was claimed at the last moment for a slot that had been reserved, and remove the row."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._queue.hand_back(self._worker_id)
        self._queue.leave(self._worker_id)

    def say(self, queue: Queue) -> None:
        """Write the worker's row."""
        queue.heartbeat(
            self._worker_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            kinds=sorted((self.draining and self.promised) or self._kinds()),
            slots=self._slots,
            running=len(self._active),
            draining=self.draining and not self.promised,
        )

    def _run(self) -> None:
        pause = self._third()
        while not self._stop.wait(pause):
            pause = self._third() if self._turn() else min(RETRY_SECONDS, self._third())

    def _third(self) -> float:
        """A little less than a third of a lease, by chance, so that workers do not do this in step."""
        return self._queue.lease / 3 * random.uniform(0.8, 1.0)  # noqa: S311  not a secret

    def _turn(self) -> bool:
        try:
            with self._queue.connection.taken(within=PATIENCE_SECONDS) as ours:
                self._see_to_all(self._queue if ours else local.queue)
            self._was_away = False
        except DatabaseUnavailable as error:
            self._was_away = True
            log.warning("claims could not be renewed", error=str(error), running=len(self._active))
            return False
        except Exception:
            log.exception("claims could not be renewed", running=len(self._active))
            return False
        return True

    def _see_to_all(self, queue: Queue) -> None:
        self._renew(queue)
        self._give_back_unheard(queue)
        self.say(queue)
        if not self._was_away:  # else other workers are silent for the same reason: let them renew first
            self._rescue(queue)

    def _renew(self, queue: Queue) -> None:
        """Keep the claims; tell each job that lost its own, or that somebody cancelled."""
        running = self._active.all()
        if not running:
            return
        ours = queue is self._queue
        kept = queue.renew((job.claim for job in running), only_free=not ours)
        for job in running:
            if kept.get(job.claim.token):
                job.interrupt(Cancelled)
            elif ours and job.claim.token not in kept:
                job.interrupt(LostClaim)

    def _give_back_unheard(self, queue: Queue) -> None:
        for job_id in queue.give_back_unheard(self._worker_id, [job.claim for job in self._active.all()]):
            log.warning("a claim whose answer was lost was given back", job_id=str(job_id))

    def _rescue(self, queue: Queue) -> None:
        for job_id, kind, status, attempts in queue.rescue():
            count_lost(kind)
            log.warning(
                "a silent worker's job was taken back", job_id=str(job_id), kind=kind, status=status, attempts=attempts
            )
        queue.forget_dead_workers()
