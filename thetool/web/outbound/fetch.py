"""Fetching what a stranger's URL names: only over https, only from public addresses, never more or longer than bounded.

Each hop of a redirect is checked like the first address.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urljoin

from werkzeug.http import parse_options_header

from thetool import __version__
from thetool.web.outbound.addresses import AddressRefused, Target, refuse_literal
from thetool.web.outbound.call import FAILURES, Call, Unreachable
from thetool.web.problems import Problem, TooLarge, ValidationFailed

SECONDS = 20.0
MAX_REDIRECTS = 5
CHUNK_BYTES = 65_536

_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {
    "User-Agent": f"TheTool/{__version__}",
    "Accept": "image/*, text/*;q=0.9, */*;q=0.1",
    "Accept-Encoding": "identity",  # what is packed may unpack to anything
}


class NotFetched(Problem):
    """The URL gave nothing that could be used; `reason` says why in a word."""

    status = 422
    code = "not_fetched"
    title = "The URL could not be fetched"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail, reason=reason)
        self.reason = reason


@dataclass(frozen=True)
class Fetched:
    """What was at the end of a URL. `media_type` and `charset` are as declared there; `url` is after redirects."""

    content: bytes
    media_type: str
    charset: str | None
    url: str


def fetch(url: str, *, max_bytes: int, seconds: float = SECONDS, private: bool = False) -> Fetched:
    """GET a URL.

    Args:
        url: where it begins.
        max_bytes: the most that is read.
        seconds: for everything together, redirects included.
        private: whether private addresses, and http, are allowed.

    Raises:
        ValidationFailed: the URL breaks a rule.
        NotFetched: it, or a redirect, leads to an address that is not public or cannot be reached; what answers is
            neither 200 nor a redirect, stops halfway, or takes too long.
        TooLarge: there is more than `max_bytes`.
    """
    deadline = time.monotonic() + seconds
    target = _target(url, private=private)
    for _ in range(MAX_REDIRECTS + 1):
        found = _hop(target, url, max_bytes, deadline, private=private)
        if isinstance(found, Fetched):
            return found
        url = found
        try:
            target = _target(url, private=private)
        except (ValidationFailed, NotFetched) as refused:
            raise NotFetched(
                "redirect", f"It redirects to an address that is not fetched: {str(refused.detail).rstrip('.')}."
            ) from refused
    raise NotFetched("redirect", f"It redirects more than {MAX_REDIRECTS} times.")


def require_fetchable(url: str, *, private: bool) -> None:
    """Check what `fetch` would refuse before it asks anybody.

    Raises:
        ValidationFailed: the URL breaks a rule.
        NotFetched: it names an address that is not public.
    """
    _target(url, private=private)


def _target(url: str, *, private: bool) -> Target:
    try:
        if not private and not url[:8].lower().startswith("https://"):  # said first: http would be refused next
            raise ValueError("must start with https://")
        target = Target.of(url)
        refuse_literal(target, private=private)
    except AddressRefused as error:
        raise NotFetched("address", f"The address {error}; only public addresses are fetched.") from error
    except ValueError as error:
        raise ValidationFailed.of_fields([("url", str(error), "body")]) from error
    return target


def _hop(target: Target, url: str, max_bytes: int, deadline: float, *, private: bool) -> Fetched | str:
    """What is there, or where it redirects to."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise _too_slow(target)
    try:
        with Call(target, left, private=private) as call:
            response = call.send("GET", _HEADERS)
            location = response.headers.get("Location")
            if response.status in _REDIRECTS and location:
                return str(urldefrag(urljoin(url, location)).url)
            if response.status != 200:
                raise NotFetched("status", f"{target.host} answered {response.status}, not 200.")
            content = _body(call, response, target, max_bytes, deadline)
    except AddressRefused as error:  # what a name of an inner network stands for is not told
        raise NotFetched("address", f"{target.host} is not at a public address; only those are fetched.") from error
    except Unreachable as error:
        raise NotFetched(error.reason, str(error)) from error
    media_type, options = parse_options_header(response.headers.get("Content-Type"))
    return Fetched(content, media_type, options.get("charset"), url)


def _body(call: Call, response: Any, target: Target, max_bytes: int, deadline: float) -> bytes:
    if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise NotFetched("encoding", f"{target.host} sends it packed, though that was not asked for.")
    announced = response.headers.get("Content-Length", "")
    if announced.isascii() and announced.isdecimal() and int(announced[:20]) > max_bytes:
        raise _too_large(max_bytes)
    parts, size = [], 0
    try:
        with call.cut_at(deadline):
            for part in response.stream(CHUNK_BYTES, decode_content=False):
                size += len(part)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                parts.append(part)
    except FAILURES as error:
        if call.was_cut:
            raise _too_slow(target) from error
        raise NotFetched(
            "unreachable", f"{target.host} stopped halfway: {getattr(error, 'strerror', None) or error}."
        ) from error
    if call.was_cut:  # a body without a length ends where the line is cut
        raise _too_slow(target)
    return b"".join(parts)


def _too_slow(target: Target) -> NotFetched:
    return NotFetched("timeout", f"{target.host} did not send it within {SECONDS:g} seconds.")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"What is there has more than {limit:,} bytes, which is all that is taken.", limit=limit)
