"""Storing the body of the present request, streamed."""

from __future__ import annotations

from datetime import datetime

from flask import request

from thetool.access.caller import current_caller
from thetool.storage.blobs import Blob, store


def store_body(*, filename: str | None = None, expires_at: datetime | None = None) -> Blob:
    """Keep the request's body as a blob of the caller's, within the quota of the caller's key.

    Nothing before it may have read the body. The route's limit (`thetool.web.body_limit`) has refused a body that
    announces too much; one that turns out to be too large is refused at the byte that is too many.

    Raises:
        Whatever `store` does.
    """
    caller = current_caller()
    limit = request.max_content_length
    if limit is not None:  # a stream that Werkzeug limits to exactly the body's size fails where it should end
        request.max_content_length = limit + 1
    return store(
        request.stream,
        owner_id=caller.owner_id,
        media_type=request.content_type or "application/octet-stream",
        filename=filename,
        expires_at=expires_at,
        max_bytes=limit,
        quota_bytes=caller.storage_quota_bytes,
        expected_bytes=request.content_length,
    )
