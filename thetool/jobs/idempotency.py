"""Requests that may be repeated: the same key with the same request means the first job again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

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
