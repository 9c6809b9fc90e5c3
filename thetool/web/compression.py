"""Zstandard or gzip of text answers above 1 KiB, for callers that accept it; never of streams and files.

Zstandard (RFC 8878) takes a seventh of gzip's time for a long answer and makes it a little smaller
(docs/decisions/0012-compression.md).
"""

from __future__ import annotations

import gzip
import sys

from flask import Response, request
from werkzeug.datastructures import Accept

SMALLEST = 1024
GZIP_LEVEL = 5
ZSTD_LEVEL = 3
TYPES = frozenset({"application/json", "application/problem+json", "application/javascript", "image/svg+xml"})


def compress(response: Response) -> None:
    """Compress the answer in place where it is worth it; says `Vary` wherever it might have been."""
    if response.status_code == 304:
        response.vary.add("Accept-Encoding")  # as on the answer that it stands for
        return
    if response.direct_passthrough or response.is_streamed or "Content-Encoding" in response.headers:
        return
    if response.content_length is None or response.content_length < SMALLEST or not _is_text(response.mimetype):
        return
    response.vary.add("Accept-Encoding")
    encoding = _wanted(request.accept_encodings)
    if encoding is None or response.cache_control.no_transform:
        return
    body = response.get_data()
    response.set_data(_zstd(body) if encoding == "zstd" else gzip.compress(body, GZIP_LEVEL, mtime=0))
    response.headers["Content-Encoding"] = encoding
    tag, weak = response.get_etag()
    if tag and not weak:
        response.set_etag(tag, weak=True)  # the bytes differ from the plain ones, the meaning does not


def _wanted(accepted: Accept) -> str | None:
    """The encoding that the caller likes better; of two as good, Zstandard where it is named (`*` may not mean it)."""
    zstd = accepted["zstd"] if "zstd" in accepted.values() else 0
    plain_gzip = accepted["gzip"]
    if not zstd and not plain_gzip:
        return None
    return "zstd" if zstd >= plain_gzip else "gzip"


def _zstd(body: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return bytes(zstd.compress(body, ZSTD_LEVEL))


def _is_text(media_type: str | None) -> bool:
    if media_type is None:
        return False
    return media_type in TYPES or (media_type.startswith("text/") and media_type != "text/event-stream")
