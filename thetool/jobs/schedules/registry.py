"""Which schedules there are. A room registers its own when it is imported."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import psycopg2
import psycopg2.errors
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in lower case
from pydantic import BaseModel

from thetool.config import Settings
from thetool.database.address import direct_url
from thetool.database.connection import DatabaseUnavailable, connect
from thetool.jobs.queue import Queue
from thetool.jobs.schedules.rules import Cron, Every, Rule

LEAVING = "The worker leaves."


@dataclass
class Round:
    """What an errand has to work with: the worker's queue and settings, and connections that end with the worker."""

    queue: Queue
    settings: Settings
    _open: set[Connection] = field(default_factory=set)
    _closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def connection(self, name: str) -> Iterator[Connection]:
        """A connection of its own, in autocommit mode; when the worker leaves, its statement is cancelled.

        Raises:
            DatabaseUnavailable: Postgres is away, or the worker leaves.
        """
        with closing(connect(direct_url(self.settings), name=name)) as connection:
            with self._lock:
                if self._closed:
                    raise DatabaseUnavailable(LEAVING)
                self._open.add(connection)
            try:
                yield connection
            except psycopg2.errors.QueryCanceled as error:
                if self._closed:
                    raise DatabaseUnavailable(LEAVING) from error
                raise
            finally:
                with self._lock:
                    self._open.discard(connection)

    def close(self) -> None:
        """Cancel what runs on its connections."""
        with self._lock:
            self._closed = True
            for connection in self._open:
                with suppress(psycopg2.Error):  # Postgres is away, and its statement with it
                    connection.cancel()


Errand = Callable[[Round], float | None]


@dataclass(frozen=True)
class Schedule:
    """What happens by itself at each tick: a job of `kind`, or an `errand` in the thread of the clock."""

    name: str
    rule: Rule
    kind: str | None = None
    params: BaseModel | None = None
    errand: Errand | None = None


_schedules: dict[str, Schedule] = {}


def schedule(
    name: str,
    *,
    every: float | None = None,
    cron: str | None = None,
    kind: str | None = None,
    params: BaseModel | None = None,
    errand: Errand | None = None,
) -> Schedule:
    """Let something happen at each tick: once over all processes and machines, missed ticks caught up once.

    Args:
        name: of the schedule; the same in each process.
        every: seconds from tick to tick.
        cron: or a crontab line in UTC, days of the week as names.
        kind: the kind of job that a tick makes. It belongs to the master; a tick whose predecessor is unfinished makes
            none.
        params: the job's parameters; without them `{}`.
        errand: or a function for what is too small and too frequent for a job. It runs in the clock's own thread, so
            it must be quick or wait for Postgres; it may give the seconds until its next tick.

    Raises:
        ValueError: the name is taken, or the arguments do not go together.
    """
    if (every is None) == (cron is None) or (kind is None) == (errand is None):
        raise ValueError(f"{name}: a schedule has one of `every` and `cron`, and one of `kind` and `errand`")
    rule: Rule = Cron(cron) if cron is not None else Every(every or 0)
    made = Schedule(name, rule, kind, params, errand)
    if _schedules.setdefault(name, made) != made:
        raise ValueError(f"{name}: there is another schedule of this name")
    return made


def schedules() -> tuple[Schedule, ...]:
    """All schedules that this process knows."""
    return tuple(_schedules.values())
