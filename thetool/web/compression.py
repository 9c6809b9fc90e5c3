"""Gzip of text answers above 1 KiB, for callers that accept it; never of streams and files."""

from __future__ import annotations

import gzip

from flask import Response, request

SMALLEST = 1024
LEVEL = 5
TYPES = frozenset({"application/json", "application/problem+json", "application/javascript", "image/svg+xml"})


def compress(response: Response) -> None:
    """Compress the answer in place where it is worth it; says `Vary` wherever it might have been."""
    if response.direct_passthrough or response.is_streamed or "Content-Encoding" in response.headers:
        return
    if response.content_length is None or response.content_length < SMALLEST or not _is_text(response.mimetype):
        return
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or response.cache_control.no_transform:
        return
    response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    tag, weak = response.get_etag()
    if tag and not weak:
        response.set_etag(tag, weak=True)  # the bytes differ from the plain ones, the meaning does not


def _is_text(media_type: str | None) -> bool:
    if media_type is None:
        return False
    return media_type in TYPES or (media_type.startswith("text/") and media_type != "text/event-stream")
