"""Several files at once: one job each, and what goes wrong with one is told of that one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

import structlog

from thetool.analyze.answers import Deadline, answer_to
from thetool.analyze.cache import Kept
from thetool.analyze.intake import Source
from thetool.database.ids import new_id
from thetool.jobs.idempotency import Idempotency, IdempotencyConflict
from thetool.web.problems import Problem
from thetool.web.request_id import current_request_id

Take = Callable[[Source, Idempotency | None, UUID | None], Kept | UUID]
"""Takes in one content of the batch."""

log = structlog.get_logger(__name__)


def analyze_batch(
    sources: tuple[Source, ...], take: Take, deadline: Deadline, idempotency: Idempotency | None
) -> tuple[dict[str, Any], bool]:
    """Take in all files, then wait for all of them; the body of the answer, and whether all is final.

    Raises:
        IdempotencyConflict: the key was used for another request; that is no matter of one file.
    """
    # The same for the same key, so that a repeated request names the same batch.
    batch_id = new_id() if idempotency is None else uuid5(idempotency.owner_id, idempotency.key)
    taken = [_take(source, number, take, batch_id, idempotency) for number, source in enumerate(sources)]
    results, final = [], True
    for source, one in zip(sources, taken, strict=True):
        item, item_final = _item(one, deadline)
        results.append({"filename": source.filename, **item})
        final = final and item_final
    return {"batch_id": batch_id, "results": results}, final


def _take(
    source: Source, number: int, take: Take, batch_id: UUID, idempotency: Idempotency | None
) -> Kept | UUID | Problem:
    try:
        return take(source, idempotency and _of_file(idempotency, number), batch_id)
    except IdempotencyConflict:
        raise
    except Problem as problem:
        return problem


def _item(taken: Kept | UUID | Problem, deadline: Deadline) -> tuple[dict[str, Any], bool]:
    if not isinstance(taken, Problem):
        try:
            body, final = answer_to(taken, deadline)
            return {"analysis": body}, final
        except Problem as problem:
            taken = problem
    return {"problem": taken.body(current_request_id())}, True


def _of_file(idempotency: Idempotency, number: int) -> Idempotency:
    """Each file's job has a key of its own, made of the request's."""
    key = sha256(f"{number} {idempotency.key}".encode()).hexdigest()
    return replace(idempotency, key=f"file-{key}")
