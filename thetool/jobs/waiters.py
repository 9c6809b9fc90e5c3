"""Who in this process waits for which job."""

from __future__ import annotations

import threading
from collections import OrderedDict
from uuid import UUID

from thetool.jobs.snapshot import JobSnapshot

REMEMBERED_SUBMITS = 4096


class Waiter:
    """One thread's wait for one job. `snapshot` is set when the job finished in this process."""

    def __init__(self, job_id: UUID, *, surely_unfinished: bool) -> None:
        self.job_id = job_id
        self.surely_unfinished = surely_unfinished
        self.heard = threading.Event()
        self.snapshot: JobSnapshot | None = None


class Waiters:
    """The waits of a process, and the jobs that it submitted and that nobody else can know of yet.

    Most jobs are submitted, run and waited for in one process. For those the finish needs to tell no other process, and
    the wait needs to ask the database nothing.

    Jobs are known by the text of their ids here, as they are heard of: in a process that hears of ten thousand ends a
    second, of which it awaits few, a quarter of its time went into making ids of their texts.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Waiter]] = {}
        self._fresh: OrderedDict[str, None] = OrderedDict()
        self.count = 0
        """How many wait now."""
        self.dismissed = False

    def dismiss(self) -> None:
        """End all waits, and let none begin: the process is about to leave, and owes its callers an answer."""
        self.dismissed = True
        self.hear(None)

    def expect(self, job_id: UUID) -> None:
        """A job is about to be made here: it is unfinished, and only this process knows its id."""
        with self._lock:
            self._fresh[str(job_id)] = None
            if len(self._fresh) > REMEMBERED_SUBMITS:
                self._fresh.popitem(last=False)

    def forget(self, job_id: UUID) -> None:
        """It was not made after all, or others know of it from now on."""
        with self._lock:
            self._fresh.pop(str(job_id), None)

    def enter(self, job_id: UUID) -> Waiter:
        """Begin to wait."""
        text = str(job_id)
        with self._lock:
            waiter = Waiter(job_id, surely_unfinished=text in self._fresh)
            self._waiting.setdefault(text, []).append(waiter)
            self.count += 1
            return waiter

    def leave(self, waiter: Waiter) -> None:
        """End a wait; from now on others may know of the job."""
        text = str(waiter.job_id)
        with self._lock:
            remaining = self._waiting[text]
            remaining.remove(waiter)
            self.count -= 1
            if not remaining:
                del self._waiting[text]
            self._fresh.pop(text, None)

    def awaited(self, job_id: UUID) -> bool:
        """Whether somebody in this process waits for the job."""
        return str(job_id) in self._waiting

    def only_here(self, job_id: UUID) -> bool:
        """Whether whoever may want to know of the job's end waits in this process."""
        text = str(job_id)
        with self._lock:
            return text in self._fresh and text in self._waiting

    def finished(self, job_id: UUID, snapshot: JobSnapshot | None) -> None:
        """The job finished; `snapshot` is how, when that is known here."""
        with self._lock:
            self._finished(str(job_id), snapshot)

    def hear(self, payload: str | None) -> None:
        """Jobs finished somewhere (their ids, with commas); None: any may have."""
        with self._lock:
            if payload is not None:
                for job_id in payload.split(","):
                    self._finished(job_id, None)
                return
            for waiters in self._waiting.values():
                for waiter in waiters:
                    waiter.heard.set()

    def _finished(self, job_id: str, snapshot: JobSnapshot | None) -> None:
        self._fresh.pop(job_id, None)
        for waiter in self._waiting.get(job_id, ()):
            waiter.snapshot = snapshot
            waiter.heard.set()
