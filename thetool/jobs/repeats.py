"""Requests that may be repeated: the header `Idempotency-Key` of a POST that makes a job, and what the answer says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, after_this_request, g, request

from thetool.access.caller import current_caller
from thetool.jobs.idempotency import Idempotency, IdempotencyConflict
from thetool.web.openapi import raises, takes

View = TypeVar("View", bound=Callable[..., Any])

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
PARAMETER = {
    "name": HEADER,
    "in": "header",
    "description": "Makes the request safe to repeat for a day: the same key gives the first answer again, marked "
    f"`{REPLAYED_HEADER}: true`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def repeatable(view: View) -> View:
    """Document that a view heeds `Idempotency-Key`; within it, `submit(..., idempotency=request_idempotency())`."""
    return raises(IdempotencyConflict)(takes(PARAMETER)(view))


def request_idempotency(asked: Callable[[], bytes] | None = None) -> Idempotency | None:
    """The key of the present request; None where it has none.

    Args:
        asked: gives the SHA-256 of what the request asks for; None: that of its method, address and body.

    Raises:
        ValidationFailed: the key is empty, too long or has other characters than ASCII's.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    return Idempotency(current_caller().owner_id, key, (asked or _asked)(), on_replay=_mark_replayed)


def is_replayed() -> bool:
    """Whether the present request gets what an earlier one got."""
    return bool(g.get("idempotent_replayed"))


def _asked() -> bytes:
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n{request.mimetype}\n".encode())
    digest.update(request.get_data())
    return digest.digest()


def _mark_replayed() -> None:
    if is_replayed():
        return
    g.idempotent_replayed = True

    @after_this_request
    def mark(response: Response) -> Response:
        response.headers[REPLAYED_HEADER] = "true"
        return response
