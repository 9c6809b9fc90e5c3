"""Storing the body of the present request, streamed."""

from __future__ import annotations

from datetime import datetime

from flask import request

from thetool.access.caller import current_caller
from thetool.storage.blobs import Blob, store
from thetool.web.problems import TooLarge


def store_body(*, max_bytes: int, filename: str | None = None, expires_at: datetime | None = None) -> Blob:
    """Keep the request's body as a blob of the caller's, within the quota of the caller's key.

    Nothing before it may have read the body. A body that announces too much is refused before it is read, one that
    turns out to be too large as soon as it is.

    Raises:
        Whatever `store` does; `max_bytes` stands in for `MAX_UPLOAD_BYTES` here.
    """
    announced = request.content_length
    if announced is not None and announced > max_bytes:
        raise TooLarge(f"At most {max_bytes} bytes are taken here.")
    caller = current_caller()
    request.max_content_length = None  # store() counts by itself, and Flask's limit is that of texts and images
    return store(
        request.stream,
        owner_id=caller.owner_id,
        media_type=request.content_type or "application/octet-stream",
        filename=filename,
        expires_at=expires_at,
        max_bytes=max_bytes,
        quota_bytes=caller.storage_quota_bytes,
        expected_bytes=announced,
    )
