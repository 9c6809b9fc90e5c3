"""Waiting for a job to finish, wherever it runs, without holding a connection."""

from __future__ import annotations

import time
from uuid import UUID

import structlog

from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.local import local
from thetool.jobs.snapshot import JobSnapshot
from thetool.jobs.waiters import Waiter
from thetool.web.problems import NotFound

__all__ = ["JobSnapshot", "look_at", "wait_for"]

log = structlog.get_logger(__name__)

MOST_WAITING = 2 / 3
LOOK_SECONDS = 1.0
FIRST_LOOK_SECONDS = 0.02


def look_at(job_id: UUID) -> JobSnapshot:
    """The job as it is now.

    Raises:
        NotFound: there is no such job.
        DatabaseUnavailable: Postgres is away.
    """
    snapshot = local.queue.snapshot(job_id)
    if snapshot is None:
        raise NotFound("There is no such job.")
    return snapshot


def wait_for(job_id: UUID, seconds: float) -> JobSnapshot:
    """Wait up to `seconds` for the job to finish, and give it as it is then.

    Two thirds of the process's request threads may wait, and fewer where streams hold many; past that the job is given
    as it is at once, so that waiting callers never take the threads of the others.

    Commit before you call it: the request's own database session is given up, so that no connection is held.

    Raises:
        NotFound: there is no such job.
        DatabaseUnavailable: Postgres is away at the end (in the meantime it may be).
    """
    local.release_session()
    waiter = local.waiters.enter(job_id)
    if _too_many_wait():
        seconds = 0
    deadline = time.monotonic() + seconds
    try:
        if not waiter.surely_unfinished or seconds <= 0:
            snapshot = look_at(job_id)
            if snapshot.finished or seconds <= 0:
                return snapshot
        return _wait(waiter, deadline)
    finally:
        local.waiters.leave(waiter)


def _too_many_wait() -> bool:
    waiting, settings = local.waiters.count, local.settings
    return waiting > settings.threads * MOST_WAITING or waiting + local.streams.count > settings.threads_to_hold


def _wait(waiter: Waiter, deadline: float) -> JobSnapshot:
    """Wait for word of the job, and look from time to time all the same: a NOTIFY may be lost, or a pooler in between.

    Where no runner listens (a command, a script) looking is all there is, so it begins quickly.
    """
    pause = LOOK_SECONDS if local.runner else FIRST_LOOK_SECONDS
    while not local.waiters.dismissed and (remaining := deadline - time.monotonic()) > 0:
        if waiter.heard.wait(min(remaining, pause)) and waiter.snapshot is not None:
            return waiter.snapshot
        waiter.heard.clear()
        pause = min(2 * pause, LOOK_SECONDS)
        try:
            snapshot = look_at(waiter.job_id)
        except DatabaseUnavailable as error:
            log.debug("waiting on while the database is away", error=str(error))
            continue
        if snapshot.finished:
            return snapshot
    return waiter.snapshot or look_at(waiter.job_id)
