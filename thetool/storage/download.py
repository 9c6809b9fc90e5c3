"""Answers that are a blob: streamed, by ranges, and harmless in a browser whatever they hold.

`X-Content-Type-Options: nosniff` comes with every answer (`thetool.web.headers`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from flask import Request, Response

from thetool.storage.blobs import Blob, read_range
from thetool.storage.filenames import content_disposition
from thetool.storage.ranges import requested_range

SHOWN_IN_BROWSERS = frozenset(
    {"image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "text/plain", "application/json"}
)


def answer_with(blob: Blob, request: Request) -> Response:
    """The answer to a GET or HEAD of the blob: 200, 206, or 304.

    Raises:
        RangeNotSatisfiable: the range starts past the end (416).
        BlobLost, StorageUnavailable: its first bytes cannot be had.
    """
    response = Response(direct_passthrough=True)  # as it is: never gathered in memory, never compressed
    _describe(response, blob)
    if request.if_none_match.contains_weak(blob.sha256):
        response.status_code = 304
        response.headers.pop("Content-Type", None)
        return response
    start, stop = 0, blob.size
    part = requested_range(request, blob.size, blob.sha256) if request.method == "GET" else None
    if part is not None:
        start, stop = part
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size}"
    response.headers["Content-Length"] = str(stop - start)
    if request.method == "GET":
        response.response = _first_piece_read(read_range(blob, start, stop))
    return response


def _describe(response: Response, blob: Blob) -> None:
    bare_type = blob.media_type.partition(";")[0]
    kind = "inline" if bare_type in SHOWN_IN_BROWSERS else "attachment"
    response.headers["Content-Type"] = blob.media_type
    response.headers["Content-Disposition"] = content_disposition(kind, blob.filename)
    response.headers["Content-Security-Policy"] = "sandbox"
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Accept-Ranges"] = "bytes"
    response.set_etag(blob.sha256)


def _first_piece_read(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Read the first piece now, while a problem can still be answered; afterwards only the connection can break."""
    first = next(pieces, b"")
    return chain((first,), pieces)
