"""Threads that each run one job at a time, and sleep while there is none."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import structlog

from thetool.jobs.claims import Claim

log = structlog.get_logger(__name__)

LOOK = "look"
QUIT = "quit"

LINGER_SECONDS = 0.005
"""Who found fewer jobs than it asked for has emptied the queue, and looks again so much later: else a worker beside a
busy client would take its jobs in ones and twos, at the price of a commit each. A word of new jobs ends it at once; but
not where there were several jobs: they come in a stream, and so do the words, which then wake nobody."""


class Slot:
    """One thread's place. `retired`: its thread ends after the job that it runs.

    `asked` is how many jobs its last look was for: where it got fewer, the others can leave the next look to it.
    `deaf`: it looks again in a moment, whatever it is told.
    """

    def __init__(self, group: SlotGroup, number: int) -> None:
        self.group = group
        self.retired = False
        self.seen = -1
        self.last_kind: str | None = None
        self.asked = 1
        self.deaf = False
        self.inbox: queue.SimpleQueue[Claim | str] = queue.SimpleQueue()
        self.thread = threading.Thread(target=group.serve, args=(self,), name=f"{group.name}-{number}", daemon=True)

    def may_find_work(self) -> bool:
        """Whether it makes sense to look: somebody has said that there is work since the last look in vain."""
        self.seen = self.group.wakes
        return self.group.looking and not self.retired and self.seen != self.group.nothing_at

    def asked_for_more_than(self, claims: list[Claim]) -> bool:
        """Whether there were fewer jobs than its last look was for."""
        return len(claims) < self.asked and not claims[0].alone

    def found_nothing(self) -> None:
        """There was no work; `seen` is what had been said before that look."""
        self.group.nothing_at = self.seen

    def hand(self, claim: Claim) -> None:
        """Run this job, in the slot that was reserved for it."""
        self.asked = 1
        self.inbox.put(claim)

    def release(self) -> None:
        """Give up the reservation; the slot looks for work itself."""
        self.group.tell()
        self.inbox.put(LOOK)


class SlotGroup:
    """The slots of one sort (threads, or processes) of a runner.

    The threads are daemons of our own: the interpreter's exit joins those of an executor, and would hang on a job that
    does not stop.

    Args:
        name: what the threads are called.
        size: how many jobs run at a time.
        look: takes the next ready jobs for a slot out of the queue.
        work: runs jobs to their ends, and gives the next ones if it has claimed them already; must not raise.
        rest: called in a slot's thread when it had no work for `rest_after` seconds, and when the thread ends.
    """

    def __init__(
        self,
        name: str,
        size: int,
        *,
        look: Callable[[Slot], list[Claim]],
        work: Callable[[list[Claim], Slot], list[Claim]],
        rest: Callable[[Slot], None] = lambda slot: None,
        rest_after: float | None = None,
    ) -> None:
        self.name = name
        self.size = size
        self._look = look
        self._work = work
        self._rest = rest
        self._rest_after = rest_after
        self._lock = threading.Lock()
        self._idle: list[Slot] = []
        self._slots: list[Slot] = []
        self._made = 0
        self._closing = False
        self.looking = False
        self.wakes = 0
        self.nothing_at = -1

    def start(self) -> None:
        """Begin to look for work."""
        self.looking = True
        for _ in range(self.size):
            self._add()

    def reserve(self) -> Slot | None:
        """Take an idle slot for a job that the caller will hand to it; None when all are at work."""
        with self._lock:
            if not self.looking or not self._idle:
                return None
            return self._idle.pop()

    def wake(self) -> None:
        """There may be work: one idle slot looks. Slots at work look when they are done, and deaf ones in a moment."""
        with self._lock:
            self.wakes += 1
            if self.looking and self._idle and not any(slot.deaf for slot in self._idle):
                self._idle.pop().inbox.put(LOOK)

    def tell(self) -> None:
        """There may be work; whoever looks next looks."""
        with self._lock:
            self.wakes += 1

    def stop_looking(self) -> None:
        """Take no further work."""
        with self._lock:
            self.looking = False

    def at_rest(self) -> bool:
        """Whether no slot runs, looks for or is about to be handed a job."""
        with self._lock:
            return len(self._idle) == len(self._slots)

    def replace(self, slot: Slot) -> None:
        """Give up a slot whose job does not stop, and have a new one in its place."""
        with self._lock:
            slot.retired = True
            self._slots.remove(slot)
        self._add()

    def close(self, seconds: float) -> None:
        """End the threads; one that does not within `seconds` is left behind."""
        with self._lock:
            self.looking, self._closing = False, True
            slots = list(self._slots)
        for slot in slots:
            slot.inbox.put(QUIT)
        for slot in slots:
            if slot.thread is not threading.current_thread():
                slot.thread.join(seconds)

    def serve(self, slot: Slot) -> None:
        """What a slot's thread does."""
        while not (self._closing or slot.retired):
            claims = self._next(slot) or self._sleep(slot)
            while claims:
                few, slot.deaf = slot.asked_for_more_than(claims), len(claims) > 1
                claims = self._run(claims, slot) or (self._sleep(slot, LINGER_SECONDS) if few else [])
                slot.deaf = False
        self._rest(slot)

    def _next(self, slot: Slot) -> list[Claim]:
        if not slot.may_find_work():
            return []
        try:
            claims = self._look(slot)
        except Exception:
            log.exception("a slot could not look for jobs")
            claims = []
        if not claims:
            slot.found_nothing()
        self._share(claims, slot)
        return claims

    def _share(self, claims: list[Claim], slot: Slot) -> None:
        """Wake another slot if there may be more: a wake-up stands for any number of jobs."""
        if claims and not slot.asked_for_more_than(claims):
            self.wake()

    def _sleep(self, slot: Slot, seconds: float | None = None) -> list[Claim]:
        """Wait to be handed a job, or to be woken, or for `seconds`; not if somebody woke us while we looked."""
        with self._lock:
            if self._closing or (self.looking and self.wakes != slot.seen and not slot.deaf):
                return []
            self._idle.append(slot)
        while True:
            try:
                word = slot.inbox.get(timeout=self._rest_after if seconds is None else seconds)
            except queue.Empty:
                if seconds is None:
                    self._rest(slot)
                elif self._left_rest(slot):
                    return []
                continue
            return [word] if isinstance(word, Claim) else []

    def _left_rest(self, slot: Slot) -> bool:
        """Whether a slot is idle no more by its own will; if not, somebody has a word for it."""
        with self._lock:
            if slot not in self._idle:
                return False
            self._idle.remove(slot)
            return True

    def _run(self, claims: list[Claim], slot: Slot) -> list[Claim]:
        try:
            following = self._work(claims, slot)
        except BaseException:
            log.exception("a slot failed outside of its jobs", job_ids=[str(claim.id) for claim in claims])
            return []
        self._share(following, slot)
        return following

    def _add(self) -> None:
        with self._lock:
            if self._closing:
                return
            self._made += 1
            slot = Slot(self, self._made)
            self._slots.append(slot)
        slot.thread.start()
