"""Requests that may be repeated: the same key with the same request means the first job again."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from thetool.jobs.local import local
from thetool.web.problems import Conflict, ValidationFailed

KEEP_SECONDS = 86_400
TRIES = 5

_is_key = re.compile(r"[\x21-\x7e]{1,255}").fullmatch


class IdempotencyConflict(Conflict):
    """The key was used before, for another request."""

    code = "idempotency_conflict"
    title = "This Idempotency-Key was used for another request"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What the header `Idempotency-Key` of a request says, and what the request was.

    Args:
        owner_id: whose key it is; two owners may use the same.
        key: 1 to 255 printable ASCII characters without blanks.
        request_hash: SHA-256 of whatever makes two requests the same.
        on_replay: called when the answer is what an earlier request got.

    Raises:
        ValidationFailed: the key is empty, too long or has other characters.
    """

    owner_id: UUID
    key: str
    request_hash: bytes
    on_replay: Callable[[], None] = field(default=lambda: None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not _is_key(self.key):
            wrong = "must be 1 to 255 printable ASCII characters without blanks"
            raise ValidationFailed.of_fields([("Idempotency-Key", wrong, "header")])


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the first request with a key led to; `gone`: a job that has been deleted since."""

    job_id: UUID | None
    analysis_id: UUID | None
    gone: bool = False


class AnsweredWithoutJob(IdempotencyConflict):
    """The first request with this key was answered at once, without a job; `first` says by what."""

    def __init__(self, first: Remembered) -> None:
        super().__init__("This key was used for a request that needed no job.")
        self.first = first


def recall(idempotency: Idempotency, *, cursor: Any = None) -> Remembered | None:
    """What the first request with this key led to; None when the key is new, or older than a day.

    Raises:
        IdempotencyConflict: it was another request.
    """
    rows = _run("recall", {"owner_id": idempotency.owner_id, "key": idempotency.key}, cursor)
    if not rows:
        return None
    request_hash, job_id, analysis_id, gone = rows[0]
    if not hmac.compare_digest(bytes(request_hash), idempotency.request_hash):
        raise IdempotencyConflict("Use a new key for a new request.")
    return Remembered(_uuid(job_id), _uuid(analysis_id), bool(gone))


def remember(
    idempotency: Idempotency, *, job_id: UUID | None = None, analysis_id: UUID | None = None, cursor: Any = None
) -> Remembered | None:
    """Tie the key to a job or an analysis, unless it is taken.

    Of two requests at the same time the second waits here for the first one's transaction.

    Args:
        idempotency: the key and the request.
        job_id: the job that the request makes.
        analysis_id: the analysis that answers it.
        cursor: psycopg2 cursor of the transaction that makes them; None is a transaction of its own.

    Returns:
        None when the key is ours now; else what the first request led to.

    Raises:
        IdempotencyConflict: the key was used for another request.
        Conflict: it is used and forgotten again and again at this moment.
    """
    values = {
        "owner_id": idempotency.owner_id,
        "key": idempotency.key,
        "request_hash": idempotency.request_hash,
        "job_id": job_id,
        "analysis_id": analysis_id,
        "keep": KEEP_SECONDS,
    }
    for _ in range(TRIES):
        if _run("remember", values, cursor):
            return None
        first = recall(idempotency, cursor=cursor)
        if first is not None:  # else it was forgotten in between
            return first
    raise Conflict("This Idempotency-Key comes and goes too fast; try again.")


def point_to(idempotency: Idempotency, job_id: UUID, *, cursor: Any = None) -> None:
    """Tie a key that is ours to another job, in the same transaction."""
    _run("point_key", {"owner_id": idempotency.owner_id, "key": idempotency.key, "job_id": job_id}, cursor)


def take_over(idempotency: Idempotency, first: Remembered, job_id: UUID, cursor: Any = None) -> bool:
    """Tie the key of a job that is gone to a new one; false when another request was quicker."""
    values = {
        "owner_id": idempotency.owner_id,
        "key": idempotency.key,
        "gone": first.job_id,
        "job_id": job_id,
        "keep": KEEP_SECONDS,
    }
    return bool(_run("take_over_key", values, cursor))


def _run(name: str, values: dict[str, Any], cursor: Any) -> list[Any]:
    return local.queue.connection.run(name, values, cursor=cursor)


def _uuid(value: Any) -> UUID | None:
    """A foreign cursor may give text where ours gives UUIDs."""
    return value if value is None or isinstance(value, UUID) else UUID(value)
