"""Removing what is over, everywhere: `thetool cleanup`, `POST /api/v1/admin/cleanup` and a schedule do the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import structlog
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in lower case
from pydantic import BaseModel, Field

from thetool.config import Settings
from thetool.database.address import direct_url
from thetool.database.connection import DatabaseUnavailable, connect

STATEMENT_SECONDS = 30.0

log = structlog.get_logger(__name__)

Step = Callable[[Connection], int]


@dataclass(frozen=True)
class Sweep:
    """One thing that is removed when its time is over.

    Args:
        name: in the plural, as the answer shows it.
        due: how many would go now.
        remove: removes some; how many those were, 0 when none is left. In short transactions, and safe in several
            processes at once. Both get a connection in autocommit mode.
    """

    name: str
    due: Step
    remove: Step


class Cleaned(BaseModel):
    """What a cleanup did."""

    removed: dict[str, int] = Field(description="How many of each thing were removed (with `dry_run`: would be).")
    failed: dict[str, str] = Field(description="What could not be removed now, and why.")
    complete: bool = Field(description="False when the time was up first: call it again.")
    dry_run: bool


_sweeps: dict[str, Sweep] = {}


def sweep(name: str, *, due: Step, remove: Step) -> None:
    """Let each cleanup remove this too; a sweep of the same name is replaced."""
    _sweeps[name] = Sweep(name, due, remove)


def cleanup(
    settings: Settings,
    *,
    dry_run: bool = False,
    seconds: float | None = None,
    checkpoint: Callable[[], None] = lambda: None,
) -> Cleaned:
    """Remove what is over. One thing that cannot be removed keeps no other from it.

    Args:
        settings: whose database.
        dry_run: only count.
        seconds: after which to stop, complete or not.
        checkpoint: called between two batches; may raise.

    Raises:
        DatabaseUnavailable: Postgres is away.
    """
    done = Cleaned(removed={}, failed={}, complete=True, dry_run=dry_run)
    deadline = None if seconds is None else time.monotonic() + seconds
    with closing(connect(direct_url(settings), name="cleanup", statement_seconds=STATEMENT_SECONDS)) as connection:
        for one in list(_sweeps.values()):
            done.removed[one.name] = 0
            try:
                if dry_run:
                    done.removed[one.name] = one.due(connection)
                elif not _remove(one, connection, done, deadline, checkpoint):
                    done.complete = False
            except Exception as error:
                if connection.closed:
                    raise DatabaseUnavailable(str(error).strip()) from error
                log.exception("a sweep failed", sweep=one.name)
                done.failed[one.name] = f"{type(error).__name__}: {error}".strip()[:500]
    return done


def _remove(
    one: Sweep, connection: Connection, done: Cleaned, deadline: float | None, checkpoint: Callable[[], None]
) -> bool:
    """Remove batch after batch; false when the time was up before the last."""
    while True:
        checkpoint()
        if deadline is not None and time.monotonic() > deadline:
            return one.due(connection) == 0
        removed = one.remove(connection)
        done.removed[one.name] += removed
        if removed == 0:
            return True
