"""The clock of a worker: looks for ticks that have come, and runs errands. APScheduler keeps the time."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from thetool.config import Settings
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.queue import Queue
from thetool.jobs.schedules import housekeeping, statistics
from thetool.jobs.schedules.registry import Round, Schedule, schedules
from thetool.jobs.schedules.table import Tick, Timetable

__all__ = ["Clock", "housekeeping"]

LOOK_SECONDS = 1.0
TELL_SECONDS = 5.0

log = structlog.get_logger(__name__)
_quiet = logging.getLogger(f"{__name__}.apscheduler")
_quiet.setLevel(logging.ERROR)  # it warns of each look that is left out while an errand is under way


class Clock:
    """Looks once a second whether something is due, and sees to it if no other process has.

    What is due says Postgres; this machine's clock may jump as it likes (`docs/decisions/0011-schedules.md`). A
    second task writes down what jobs ended here.
    """

    def __init__(self, queue: Queue, settings: Settings, known: Iterable[Schedule] | None = None) -> None:
        self._queue = queue
        self._table = Timetable(queue, schedules() if known is None else known)
        self._round = Round(queue, settings)
        self._known = False
        self._away = False
        self._scheduler: SteadyScheduler | None = None

    def start(self) -> None:
        """Begin to look."""
        scheduler = SteadyScheduler(
            executors={"default": ThreadPoolExecutor(2)},
            timezone=UTC,
            logger=_quiet,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        scheduler.add_job(self.look, Pause(LOOK_SECONDS))
        scheduler.add_job(self.tell, Pause(TELL_SECONDS))
        scheduler.start()
        self._scheduler = scheduler

    def rest(self) -> None:
        """Look no more; what is under way goes on. For a worker that is about to leave."""
        if self._scheduler is not None:
            self._scheduler.pause()

    def close(self) -> None:
        """Stop looking; an errand under way is cancelled, what is untold is told. Harmless twice."""
        if self._scheduler is None:
            return
        self._round.close()
        self._scheduler.shutdown()
        self._scheduler = None
        self.tell()

    def look(self) -> None:
        """See to what is due, unless another process does."""
        try:
            if not self._known:
                self._table.add()
                self._known = True
            for tick in self._table.due():
                self._see_to(tick)
            self._away = False
        except DatabaseUnavailable as error:
            if not self._away:
                log.warning("the clock goes on without the database", error=str(error))
            self._away = True
        except Exception:
            log.exception("the clock stumbled")

    def tell(self) -> None:
        """Write down what ended here since the last time."""
        try:
            statistics.write(self._queue)
        except DatabaseUnavailable as error:
            log.debug("statistics wait for the database", error=str(error))
        except Exception:
            log.exception("statistics could not be written")

    def _see_to(self, tick: Tick) -> None:
        """Take the tick and run its errand; what goes wrong with one must not keep the others from their time."""
        name, errand = tick.schedule.name, tick.schedule.errand
        try:
            if not self._table.take(tick):
                return
            log.debug("a schedule is due", schedule=name, tick=tick.at.isoformat())
            seconds, error = (None if errand is None else errand(self._round)), None
        except DatabaseUnavailable:
            raise
        except Exception as failure:
            log.exception("a schedule could not be seen to", schedule=name)
            seconds, error = None, f"{type(failure).__name__}: {failure}"[:500]
        if errand is not None:
            self._table.note(tick, error=error, seconds=seconds)


class Pause(BaseTrigger):  # type: ignore[misc]
    """Due so many seconds after now, a little more or less, so that workers do not look in step.

    APScheduler's own intervals count from the last time: when the machine's clock jumps ahead a day, it would work
    through a day of seconds.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next time, after now."""
        return now + timedelta(seconds=self.seconds * random.uniform(0.8, 1.2))  # noqa: S311  not a secret


class SteadyScheduler(BackgroundScheduler):  # type: ignore[misc]
    """APScheduler's, which stays awake when the machine's clock is set back: it plans by that clock."""

    _latest = datetime.min.replace(tzinfo=UTC)

    def _process_jobs(self) -> Any:
        now = datetime.now(UTC)
        if now < self._latest:  # what was planned lies too far ahead
            for job in self.get_jobs():
                job.modify(next_run_time=now)
        self._latest = now
        wait = super()._process_jobs()
        return wait if wait is None else min(wait, LOOK_SECONDS)
