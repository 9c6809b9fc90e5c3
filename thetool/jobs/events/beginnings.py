"""Telling listeners that a job has begun, without a word from the claim, which is what costs most."""

from __future__ import annotations

import math
from collections.abc import Sequence

from thetool.jobs.active import Running
from thetool.jobs.queue import Queue

BEGUN_SECONDS = 0.1
"""Of a job that is over sooner, its end tells."""
MOST_AT_ONCE = 200
"""Ids in one word: NOTIFY takes 8,000 bytes."""


def tell_beginnings(queue: Queue, running: Sequence[Running], now: float) -> None:
    """Say once of each job that it runs, unless its progress has said so; called often.

    Args:
        queue: the process's queue.
        running: the jobs that were claimed here.
        now: as `time.monotonic()` has it.

    Raises:
        DatabaseUnavailable: Postgres is away; it is said the next time.
    """
    untold = [job for job in running if not job.begun_told and _runs(job, now)]
    for first in range(0, len(untold), MOST_AT_ONCE):
        jobs = untold[first : first + MOST_AT_ONCE]
        silent = [str(job.claim.id) for job in jobs if not job.last_told]
        if silent:
            queue.connection.run("begun", {"ids": ",".join(silent)})
        for job in jobs:
            job.begun_told = True


def _runs(job: Running, now: float) -> bool:
    """Whether its turn came some time ago, and it is not over; only such a job has a deadline."""
    return job.deadline < math.inf and now - job.began >= BEGUN_SECONDS
