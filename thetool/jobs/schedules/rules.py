"""When a schedule is due: at a fixed distance, or by a line of a crontab. It asks no clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import floor

from apscheduler.triggers.cron import CronTrigger

FINEST_SECONDS = 0.1
_crontab = re.compile(r"(\S+ ){4}[a-z*,-]+")


@dataclass(frozen=True)
class Every:
    """Due each so many seconds."""

    seconds: float

    def __post_init__(self) -> None:
        if not self.seconds >= FINEST_SECONDS:
            raise ValueError(f"a schedule is due each {FINEST_SECONDS} seconds at most, not each {self.seconds}")

    def __str__(self) -> str:
        return f"every {self.seconds:g} s"

    def next_tick(self, now: datetime, tick: datetime | None = None) -> datetime:
        """The first moment after `now` that is a whole number of steps after `tick` (after `now`, without one)."""
        missed = floor((now - tick).total_seconds() / self.seconds) if tick else 0
        following = (tick or now) + timedelta(seconds=self.seconds) * (max(missed, 0) + 1)
        return following if following > now else following + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Cron:
    """Due when a crontab line of five fields says so, in UTC.

    Days of the week are names (`mon-fri`): numbers mean one thing to cron and another to APScheduler, which reads the
    line (agronholm/apscheduler issue 286).
    """

    line: str

    def __post_init__(self) -> None:
        if not _crontab.fullmatch(self.line):
            raise ValueError(f"{self.line!r} is not five fields with blanks between, the last with names of days")
        CronTrigger.from_crontab(self.line, timezone=UTC)

    def __str__(self) -> str:
        return f"cron {self.line}"

    @cached_property
    def _trigger(self) -> CronTrigger:
        return CronTrigger.from_crontab(self.line, timezone=UTC)

    def next_tick(self, now: datetime, tick: datetime | None = None) -> datetime:
        """The first moment after `now` that the line names.

        Raises:
            ValueError: there is none (the 30th of February).
        """
        following: datetime | None = self._trigger.get_next_fire_time(None, now + timedelta(microseconds=1))
        if following is None:
            raise ValueError(f"{self}: such a moment never comes")
        return following


Rule = Every | Cron
