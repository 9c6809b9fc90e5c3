"""The part of a worker process that runs jobs."""

from __future__ import annotations

import time
from dataclasses import replace
from uuid import UUID

import structlog

from thetool.config import Settings
from thetool.database.address import direct_url
from thetool.database.connection import DatabaseUnavailable
from thetool.database.ids import new_id
from thetool.database.listen import Callback, Listener
from thetool.jobs import registry
from thetool.jobs.active import ActiveJobs, Running
from thetool.jobs.batches import Batches
from thetool.jobs.children import Nursery
from thetool.jobs.claims import Claim, Wish
from thetool.jobs.context import Cancelled, LostClaim
from thetool.jobs.keeper import LeaseKeeper
from thetool.jobs.local import local, queue_of
from thetool.jobs.outcome import Settlement
from thetool.jobs.pace import Pace
from thetool.jobs.queue import CANCEL_CHANNEL, DONE_CHANNEL, PROGRESS_CHANNEL, WAKE_CHANNEL
from thetool.jobs.schedules.clock import Clock
from thetool.jobs.slots import Slot, SlotGroup
from thetool.jobs.watcher import Watcher

log = structlog.get_logger(__name__)

CHILD_IDLE_SECONDS = 300.0
STOP_SECONDS = 1.0
LAST_GRACE_SECONDS = 5.0
PAUSE_SECONDS = 0.2


class Runner:
    """Claims jobs that this process can run, and runs them in threads and child processes.

    `wants_replacement` becomes true when a thread job did not stop in time: its thread lives on, so the process should
    be replaced when its other jobs are done.
    """

    def __init__(self, settings: Settings, *, queues: tuple[str, ...] = ("cpu",)) -> None:
        self.settings = settings
        self.queues = queues
        self._able: dict[str, frozenset[str]] = {}
        self.worker_id = new_id()
        self.queue = queue_of(settings, name="queue")
        self.wants_replacement = False
        self._active = ActiveJobs()
        self._closed = False
        self._nursery = Nursery()
        self.groups = {
            "thread": self._group("thread", settings.job_threads),
            "process": self._group("process", settings.job_processes),
            "network": self._group("network", settings.job_network_threads),
            "housekeeping": self._group("housekeeping", 1),
        }
        self._listener = Listener(direct_url(settings))
        self._keeper = LeaseKeeper(
            self.queue,
            self.worker_id,
            self._active,
            kinds=self.kind_names,
            slots=sum(group.size for group in self.groups.values()),
        )
        self._clock = Clock(self.queue, settings)
        self.watcher = Watcher(
            self.queue, self._active, wake=self.wake, abandon=self._abandon, hurry=lambda now: self._batches.hurry(now)
        )
        self.queue.look_in = self.watcher.look_in
        self._settlement = Settlement(
            self.queue, local.waiters, given_up=lambda: self._closed, look_in=self.watcher.look_in
        )
        self._pace = Pace()
        self._batches = Batches(
            self.queue, self._active, self._settlement, self._nursery, self._pace, wish_after=self._wish_after
        )

    def start(self) -> None:
        """Register this worker and begin to claim; `current_runner()` is this one from now on."""
        local.configure(self.settings)
        local.runner, local.waiters.dismissed, local.streams.dismissed = self, False, False
        local.queue.sender = self.queue.sender = str(self.worker_id)
        self._nursery.sweep()
        self._keeper.start()
        self._listener.subscribe(WAKE_CHANNEL, self._hear_work)
        self._listener.subscribe(DONE_CHANNEL, local.waiters.hear)
        for channel in (DONE_CHANNEL, CANCEL_CHANNEL, PROGRESS_CHANNEL):
            self._listener.subscribe(channel, local.streams.fanout.hear)
        self._listener.subscribe(CANCEL_CHANNEL, self._hear_cancel)
        self._listener.start()
        for group in self.groups.values():
            group.start()
        self.watcher.start()
        self._clock.start()
        log.info("the job runner started", worker_id=str(self.worker_id), kinds=len(self.kind_names()))

    def listen(self, channel: str, callback: Callback) -> None:
        """Call back at each notification of a channel; see `Listener` for what None means."""
        self._listener.subscribe(channel, callback)

    def stop_claiming(self) -> None:
        """Take no further jobs; those that run go on."""
        for group in self.groups.values():
            group.stop_looking()
        self._clock.rest()
        self._keeper.drain()

    def drain(self, seconds: float) -> bool:
        """Stop claiming and wait until no job runs; False when some still run after `seconds`."""
        self.stop_claiming()
        deadline = time.monotonic() + seconds
        while not self._at_rest():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True

    def hand_back(self, seconds: float = 0.0) -> int:
        """Put the running jobs back into the queue with no attempt used, and stop them; gives how many.

        Children are killed before, so that a job does not run twice at a time. Threads stop at their next
        `checkpoint()`; what they do until then is not kept. A database that is away is tried again for `seconds`.

        Raises:
            DatabaseUnavailable: it stayed away; the leases will run out.
        """
        self.stop_claiming()
        for running in self._active.all():
            running.interrupt(LostClaim)
        deadline = time.monotonic() + STOP_SECONDS
        while not self._at_rest() and time.monotonic() < deadline:
            time.sleep(0.02)
        jobs = self._put_back(time.monotonic() + seconds)
        for job_id in jobs:
            local.waiters.finished(job_id, None)
            log.info("a job was handed back", job_id=str(job_id))
        return len(jobs)

    def _put_back(self, deadline: float) -> list[UUID]:
        while True:
            try:
                return self.queue.hand_back(self.worker_id)
            except DatabaseUnavailable:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(PAUSE_SECONDS)

    def dismiss_waiters(self) -> None:
        """Answer now who waits in this process for a job: it is about to leave."""
        local.waiters.dismiss()

    def dismiss_streams(self) -> None:
        """End the streams of this process: it is about to leave, and their listeners go on elsewhere."""
        local.streams.dismiss()

    def close(self) -> None:
        """Stop everything: jobs are handed back, threads and children end, the `workers` row goes. Harmless twice."""
        if self._closed:
            return
        self.dismiss_streams()
        self.stop_claiming()
        if not self._at_rest():
            try:
                self.hand_back()
            except DatabaseUnavailable as error:
                log.warning("jobs could not be handed back; their leases will run out", error=str(error))
        self._closed = True
        if local.runner is self:
            local.runner, local.queue.sender = None, ""
        self.watcher.close()
        self._clock.close()
        for group in self.groups.values():
            group.close(STOP_SECONDS)
        self._listener.close()
        try:
            self._keeper.close()
        except DatabaseUnavailable as error:
            log.info("the worker's row stays until it is found dead", error=str(error))
        self.queue.close()

    def serve(self, queue: str, kinds: frozenset[str], slots: int) -> None:
        """Take these kinds of a further queue from now on, in slots of its own; again: these, and no others, of it.

        What runs on a device waits for that device only, and never for the slots of all other work.

        Args:
            queue: such as `gpu`.
            kinds: names of the kinds that can be run just now.
            slots: how many of its jobs run at a time.
        """
        self._able[queue] = kinds
        if queue not in self.groups and not self._closed:
            group = self._group("thread", slots, queue)
            self.groups = {**self.groups, queue: group}  # a new one: other threads go through the old one just now
            self.queues = (*self.queues, queue)
            if not self._keeper.draining:
                group.start()
        self._keeper.tell()
        self.wake()

    def promise(self, kinds: frozenset[str]) -> None:
        """Let submits count on these kinds though this worker drains: its successor takes them. None: no longer."""
        self._keeper.promised = kinds
        self._keeper.tell()

    @property
    def draining(self) -> bool:
        """Whether it takes no further jobs."""
        return self._keeper.draining

    def group_of(self, queue: str, runs: str) -> SlotGroup | None:
        """The slots that jobs of this sort run in; None where this worker does not serve the queue."""
        if queue not in self.queues:
            return None
        return self.groups.get(queue) or self.groups[runs]

    def busy(self) -> int:
        """How many jobs run here now."""
        return len(self._active)

    def takes(self, kind: str) -> bool:
        """Whether this worker will run jobs of this kind."""
        return not self._keeper.draining and kind in self.kind_names()

    def wish(self, queue: str, runs: str) -> Wish:
        """What this worker takes out of a queue for its slots of one sort."""
        able = self._able.get(queue)
        kinds = tuple(
            kind.name
            for kind in registry.kinds()
            if kind.runs == runs and kind.queue == queue and (able is None or kind.name in able)
        )
        return Wish(self.worker_id, queue, runs, kinds)

    def kind_names(self) -> list[str]:
        """The names of all kinds that this worker takes."""
        sorts = {(queue, kind.runs) for kind in registry.kinds() for queue in self.queues if kind.queue == queue}
        groups = {sort: self.group_of(*sort) for sort in sorted(sorts)}
        return [name for sort, group in groups.items() if group and group.size for name in self.wish(*sort).kinds]

    def wake(self) -> None:
        """There may be jobs: idle slots look."""
        for group in self.groups.values():
            group.wake()

    def _group(self, runs: str, size: int, queue: str | None = None) -> SlotGroup:
        """Slots for one sort of jobs: those of a queue of its own, else of all queues that have none."""
        return SlotGroup(
            f"job-{queue or runs}",
            size,
            look=lambda slot: self._look(slot, runs, self._shared_queues() if queue is None else (queue,)),
            work=lambda claims, slot: self._batches.work(claims, slot),
            rest=self._nursery.dismiss,
            rest_after=CHILD_IDLE_SECONDS if runs == "process" else None,
        )

    def _at_rest(self) -> bool:
        return all(group.at_rest() for group in self.groups.values())

    def _shared_queues(self) -> tuple[str, ...]:
        return tuple(queue for queue in self.queues if queue not in self.groups)

    def _look(self, slot: Slot, runs: str, queues: tuple[str, ...]) -> list[Claim]:
        """The next ready jobs for a free slot."""
        for queue in queues:
            wish = self._wish_of(slot, queue, runs)
            try:
                claims = self.queue.claim(wish) if wish.kinds else []
            except DatabaseUnavailable as error:
                log.info("no claims while the database is away", error=str(error))
                return []
            if claims:
                return claims
        return []

    def _wish_after(self, slot: Slot) -> Wish | None:
        """What the slot would do next, if it may find something: only where one look answers that."""
        name = next(name for name, group in self.groups.items() if group is slot.group)
        queues, runs = ((name,), "thread") if name in self.queues else (self._shared_queues(), name)
        if len(queues) > 1 or not slot.may_find_work():
            return None
        return self._wish_of(slot, queues[0], runs)

    def _wish_of(self, slot: Slot, queue: str, runs: str) -> Wish:
        """What a slot takes: several jobs where those that it had last are quick, for what follows is often alike."""
        wish, size = self.wish(queue, runs), self._pace.size(slot.last_kind)
        slot.asked = size
        if size == 1 or slot.last_kind is None:
            return wish
        return replace(wish, quick=self._pace.as_quick_as(slot.last_kind, wish.kinds), limit=size)

    def _abandon(self, running: Running) -> None:
        """A thread job did not stop in time: fail it, go on with a new thread, and ask for a new process."""
        if running.slot.group is self.groups["process"]:
            return
        if not self._settlement.expire(running) and time.monotonic() < running.deadline + LAST_GRACE_SECONDS:
            return
        running.abandoned = True
        self._active.remove(running)
        running.slot.group.replace(running.slot)
        self.wants_replacement = True
        log.error(
            "a thread job did not stop in time; this process should be replaced",
            job_id=str(running.claim.id),
            kind=running.claim.kind,
        )

    def _hear_work(self, payload: str | None) -> None:
        """Wake the slots that a new job is for. What was enqueued here has woken them already."""
        queue, runs, sender = payload.split(":") if payload else ("", "", "")
        if payload is None:
            self.wake()
        elif sender != self.queue.sender and (group := self.group_of(queue, runs)):
            group.wake()

    def _hear_cancel(self, payload: str | None) -> None:
        if payload is not None:
            self._active.interrupt([UUID(payload)], Cancelled)


def current_runner() -> Runner | None:
    """The started runner of this process, if it has one."""
    return local.runner
