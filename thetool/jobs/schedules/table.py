"""The table `schedules`: which ticks have come, and who has each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from thetool.access.ids import MASTER_OWNER_ID
from thetool.database.ids import new_id
from thetool.jobs.claims import NewJob
from thetool.jobs.payload import to_json_text
from thetool.jobs.queue import Queue
from thetool.jobs.registry import get_kind
from thetool.jobs.schedules.registry import Schedule

PRIORITY = 100
"""Above whatever a caller may ask for: housekeeping is small, and a long queue is when it is needed most."""
KEEP_SECONDS = 3_600
"""How long the job of a tick is kept: a day of them would hide everything else."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment at which a schedule is due; `following` is the first one that is still to come."""

    schedule: Schedule
    at: datetime
    following: datetime


class Timetable:
    """The table as one process sees it. Every method may raise DatabaseUnavailable."""

    def __init__(self, queue: Queue, schedules: Iterable[Schedule]) -> None:
        self._queue = queue
        self._schedules = {schedule.name: schedule for schedule in schedules}

    def add(self) -> None:
        """Make the schedules known; one that is new, or has another rule than before, is due one step from now."""
        ((now,),) = self._queue.connection.run("now")
        for name, schedule in self._schedules.items():
            values = {"name": name, "rule": str(schedule.rule), "next": schedule.rule.next_tick(now)}
            self._queue.connection.run("add_schedule", values)

    def due(self) -> list[Tick]:
        """The ticks that have come. Of several missed ones there is one: it leads past all of them."""
        rows = self._queue.connection.run("due", {"names": list(self._schedules)})
        known = [(self._schedules[name], at, now) for name, at, now in rows]
        return [Tick(schedule, at, schedule.rule.next_tick(now, at)) for schedule, at, now in known]

    def take(self, tick: Tick) -> bool:
        """Claim a tick: true in one process only, however many ask, and with it the job is there (or the errand due).

        The claim and the job are one transaction. A job whose predecessor is unfinished is not made.
        """
        if tick.schedule.kind is None:
            return bool(self._queue.connection.run("take_tick", _claim(tick)))
        with self._queue.connection.transaction() as cursor:
            taken = self._queue.connection.run("take_tick", _claim(tick))
            if not taken:
                return False
            self._make_job(tick, cursor, unfinished=taken[0][0] is not None)
        return True

    def note(self, tick: Tick, *, error: str | None, seconds: float | None) -> None:
        """Remember how the errand of a tick went, and after how many seconds it wants to be due again."""
        values = {"name": tick.schedule.name, "next": tick.following, "error": error, "seconds": seconds}
        self._queue.connection.run("note_errand", values)

    def _make_job(self, tick: Tick, cursor: Any, *, unfinished: bool) -> None:
        run, name = self._queue.connection.run, tick.schedule.name
        job = _job_of(tick)
        if unfinished:
            run("note_skipped", {"name": name, "kind": job.kind, "queue": job.queue, "runs": job.runs})
            return
        self._queue.enqueue(job, cursor=cursor)
        run("note_job", {"name": name, "job_id": job.id})


def _claim(tick: Tick) -> dict[str, Any]:
    return {"name": tick.schedule.name, "tick": tick.at, "next": tick.following}


def _job_of(tick: Tick) -> NewJob:
    schedule = tick.schedule
    kind = get_kind(str(schedule.kind))
    return NewJob(
        id=new_id(),
        kind=kind.name,
        queue=kind.queue,
        runs=kind.runs,
        params="{}" if schedule.params is None else to_json_text(schedule.params),
        owner_id=MASTER_OWNER_ID,
        timeout=kind.timeout,
        max_attempts=kind.max_attempts,
        correlation_id=f"schedule-{schedule.name}",
        priority=PRIORITY,
        title=f"Housekeeping: {schedule.name}",
        keep=KEEP_SECONDS,
        dedupe_key=f"schedule:{schedule.name}:{tick.at.isoformat()}",
    )
