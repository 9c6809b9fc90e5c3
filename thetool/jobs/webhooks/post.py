"""One POST to a webhook's receiver, whose answer is its status and little else."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from thetool.web.outbound.addresses import Target
from thetool.web.outbound.call import FAILURES, Call

TOTAL_SECONDS = 15.0
LAST_READ_SECONDS = 0.5
READ_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said. `retry_after` is in seconds, where it asked for that."""

    status: int
    retry_after: float
    location: str | None


def post(target: Target, body: bytes, headers: Mapping[str, str], *, private: bool) -> Answer:
    """Send a POST; redirects are not followed, and no proxy is used.

    Args:
        target: where to.
        body: what is sent.
        headers: sent with it, beside `Host` and `Content-Length`.
        private: whether private addresses may be reached.

    Raises:
        AddressRefused: the host leads to an address that may not be reached.
        Unreachable: no connection, no trusted certificate, no answer that is HTTP, or none within 15 seconds.
    """
    with Call(target, TOTAL_SECONDS, private=private) as call:
        response = call.send("POST", headers, body)
        answer = Answer(response.status, _retry_after(response.headers), response.headers.get("Location"))
        with call.cut_at(time.monotonic() + LAST_READ_SECONDS):
            _read_a_little(response)
    return answer


def _read_a_little(response: Any) -> None:
    """Take what is there of the body, so that a receiver which says "ok" is not cut off while it says it."""
    with contextlib.suppress(*FAILURES):
        response.read1(READ_BYTES, decode_content=False)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of a `Retry-After` (RFC 9110 section 10.2.3), which is a number or a date; 0 when there is none."""
    given = (headers.get("Retry-After") or "").strip()
    if given.isascii() and given.isdecimal() and len(given) < 10:
        return float(given)
    try:
        moment = parsedate_to_datetime(given)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
