"""Parents that wait for their children without holding a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel

from thetool.jobs.claims import Claim, NewJob
from thetool.jobs.context import ChildJob
from thetool.jobs.options import JobOptions, new_job
from thetool.jobs.queue import Queue
from thetool.jobs.registry import get_kind

MAX_CHILDREN = 10_000


class TooManyChildren(Exception):  # noqa: N818  reads as a sentence where it is raised
    """A job has, or wants, more than `MAX_CHILDREN` children; a handler that goes round and round ends here."""

    code = "too_many_children"


def new_child(claim: Claim, kind: str, params: BaseModel, options: JobOptions) -> NewJob:
    """The row of a child of a claimed job, with its owner and correlation id."""
    child = new_job(get_kind(kind), params, claim.owner_id, options)
    return replace(child, parent_id=claim.id, correlation_id=claim.correlation_id)


def suspend(queue: Queue, claim: Claim, spawned: Sequence[NewJob]) -> bool:
    """Lay a job aside and make its children, in one transaction; it is ready again when the last one is finished.

    Returns:
        False when the claim no longer holds, or somebody asked to cancel: then nothing was made.

    Raises:
        TooManyChildren: nothing was made.
    """
    with queue.connection.transaction() as cursor:
        if not queue.connection.run("suspend", {"id": claim.id, "token": claim.token}):
            return False
        queue.enqueue_many(spawned, cursor=cursor)
        ((_, made, _),) = queue.connection.run("await_children", {"id": claim.id})
        if made > MAX_CHILDREN:
            raise TooManyChildren(f"A job may have {MAX_CHILDREN:,} children; this one would have {made:,}.")
    return True


def make_children(queue: Queue, spawned: Sequence[NewJob], cursor: Any) -> None:
    """Make the children of a job that is completed in the same transaction and waits for none of them."""
    if len(spawned) > MAX_CHILDREN:
        raise TooManyChildren(f"A job may have {MAX_CHILDREN:,} children; this one wants {len(spawned):,}.")
    queue.enqueue_many(spawned, cursor=cursor)


def children_of(queue: Queue, job_id: UUID) -> list[ChildJob]:
    """The children of a job, in the order of their making."""

    def read(child_id: UUID) -> Any:
        rows = queue.connection.run("result_of_child", {"id": child_id, "parent_id": job_id})
        return orjson.loads(rows[0][0]) if rows else None

    rows = queue.connection.run("children_of", {"id": job_id})
    return [ChildJob(child_id, kind, status, title, error, read) for child_id, kind, status, title, error in rows]
