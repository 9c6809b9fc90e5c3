"""Requests that may be repeated: the same key with the same request means the first job again."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from thetool.jobs.local import local
from thetool.jobs.queries import queries
from thetool.web.problems import Conflict, ValidationFailed

KEEP_SECONDS = 86_400

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

    Raises:
        ValidationFailed: the key is empty, too long or has other characters.
    """

    owner_id: UUID
    key: str
    request_hash: bytes

    def __post_init__(self) -> None:
        if not _is_key(self.key):
            wrong = "must be 1 to 255 printable ASCII characters without blanks"
            raise ValidationFailed.of_fields([("Idempotency-Key", wrong, "header")])


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the first request with a key led to."""

    job_id: UUID | None
    analysis_id: UUID | None


def recall(idempotency: Idempotency, *, cursor: Any = None) -> Remembered | None:
    """What the first request with this key led to; None when the key is new, or older than a day.

    Raises:
        IdempotencyConflict: it was another request.
    """
    rows = _run("recall", {"owner_id": idempotency.owner_id, "key": idempotency.key}, cursor)
    if not rows:
        return None
    request_hash, job_id, analysis_id = rows[0]
    if not hmac.compare_digest(bytes(request_hash), idempotency.request_hash):
        raise IdempotencyConflict("Use a new key for a new request.")
    return Remembered(_uuid(job_id), _uuid(analysis_id))


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
    """
    values = {
        "owner_id": idempotency.owner_id,
        "key": idempotency.key,
        "request_hash": idempotency.request_hash,
        "job_id": job_id,
        "analysis_id": analysis_id,
        "keep": KEEP_SECONDS,
    }
    if _run("remember", values, cursor):
        return None
    return recall(idempotency, cursor=cursor)


def point_to(idempotency: Idempotency, job_id: UUID, *, cursor: Any = None) -> None:
    """Tie a key that is ours to another job, in the same transaction."""
    _run("point_key", {"owner_id": idempotency.owner_id, "key": idempotency.key, "job_id": job_id}, cursor)


def _run(name: str, values: dict[str, Any], cursor: Any) -> list[Any]:
    if cursor is None:
        return local.queue.connection.run(name, values)
    cursor.execute(queries[name].text, values)
    return list(cursor.fetchall()) if cursor.description else []


def _uuid(value: Any) -> UUID | None:
    """A foreign cursor may give text where ours gives UUIDs."""
    return value if value is None or isinstance(value, UUID) else UUID(value)
