"""Proof that a request sent with a cookie came from our own pages (against cross-site request forgery)."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request

from thetool.web.current import settings
from thetool.web.problems import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def require_same_origin() -> None:
    """Raise Forbidden (403) for an unsafe request or a WebSocket that does not come from our own pages.

    The proof is `Sec-Fetch-Site: same-origin`, which a page cannot forge; from browsers that do not send it, an
    `Origin` of our own host.
    """
    if request.method in SAFE_METHODS and request.headers.get("Upgrade", "").lower() != "websocket":
        return
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site == "same-origin" or (fetch_site is None and _origin_is_ours()):
        return
    raise Forbidden(
        "Signed-in requests that change something must come from our own pages; programs send a key instead."
    )


def _origin_is_ours() -> bool:
    try:
        origin = urlsplit(request.headers.get("Origin", "")).netloc.lower()
    except ValueError:  # it is no address at all
        return False
    public = urlsplit(settings().public_url or "").netloc.lower()
    return bool(origin) and origin in {request.host.lower(), public}
