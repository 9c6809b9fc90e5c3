"""Which part of a file a request asks for (RFC 9110 section 14)."""

from __future__ import annotations

import re

from flask import Request

from thetool.storage.problems import RangeNotSatisfiable

_one_range = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.ASCII | re.IGNORECASE)


def requested_range(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """The one range that `Range` asks for, as (start, stop) with stop excluded; None for the whole file.

    Several ranges, other units and nonsense are answered with the whole file, as the RFC allows, and so is a range
    whose `If-Range` names another content.

    Raises:
        RangeNotSatisfiable: it starts past the end (416).
    """
    asked = _one_range.fullmatch(request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", f'"{etag}"') != f'"{etag}"':
        return None
    first, last = asked.groups()
    if not first and not last:
        return None
    if not first:  # so many bytes from the end
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise RangeNotSatisfiable(size)
    return start, stop
