"""Which part of a file a request asks for (RFC 9110 section 14)."""

from __future__ import annotations

from flask import Request
from werkzeug.http import parse_if_range_header, parse_range_header

from thetool.storage.problems import RangeNotSatisfiable


def requested_range(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """The one range that `Range` asks for, as (start, stop) with stop excluded; None for the whole file.

    Several ranges, other units and nonsense are answered with the whole file, as the RFC allows, and so is a range
    whose `If-Range` names another content.

    Raises:
        RangeNotSatisfiable: it starts past the end (416).
    """
    header = request.headers.get("Range")
    if not header or not _same_content(request, etag):
        return None
    try:
        wanted = parse_range_header(header)
    except ValueError:
        return None
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return None
    found = wanted.range_for_length(size)
    if found is None:
        raise RangeNotSatisfiable(size)
    return found


def _same_content(request: Request, etag: str) -> bool:
    header = request.headers.get("If-Range")
    return not header or parse_if_range_header(header).etag == etag
