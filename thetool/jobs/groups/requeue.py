"""Putting finished jobs back: those that failed or were cancelled, with all their attempts before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import psycopg2.errors

from thetool.jobs.queue import Queue

MOST_AT_ONCE = 1000
TRIES = 3


class EqualIsUnfinished(Exception):  # noqa: N818  reads as a sentence where it is raised
    """Another job with the same `dedupe_key` is unfinished."""


class InputIsGone(Exception):  # noqa: N818  as above
    """What the job was to analyze is no longer stored, so that it could only fail again."""


@dataclass(frozen=True)
class Requeued:
    """How many failed jobs were put back, and how many are left."""

    requeued: int
    left: int


def requeue(queue: Queue, job_id: UUID) -> bool:
    """Put one job back; false when it is neither failed nor cancelled, or not there.

    Raises:
        EqualIsUnfinished, InputIsGone: see there.
    """
    if queue.connection.run("inputs_gone", {"ids": [job_id]}):
        raise InputIsGone
    try:
        return bool(queue.connection.run("requeue", {"ids": [job_id]}))
    except psycopg2.errors.UniqueViolation as error:
        raise EqualIsUnfinished from error


def requeue_kind(
    queue: Queue,
    kind: str,
    owner_id: UUID | None,
    limit: int = MOST_AT_ONCE,
    *,
    admit: Callable[[int], None] = lambda number: None,
) -> Requeued:
    """Put the oldest failed jobs of a kind back, of one owner or (None) of all.

    Those whose `dedupe_key` an unfinished job has are left; of several with the same key the newest is put back.
    Left, and not counted, are those whose content to analyze is gone. `admit` is told how many it would be, and may
    raise.
    """
    for remaining in reversed(range(TRIES)):
        found = queue.connection.run("failed_of_kind", {"kind": kind, "owner_id": owner_id, "limit": limit})
        if found:
            admit(len(found))
        try:
            done = queue.connection.run("requeue", {"ids": [job_id for job_id, _ in found]})
        except psycopg2.errors.UniqueViolation:  # an equal job was made in between
            if not remaining:
                raise
            continue
        return Requeued(len(done), max(0, found[0][1] - len(done)) if found else 0)
    raise AssertionError("not reached")
