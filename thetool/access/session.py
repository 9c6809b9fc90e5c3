"""The cookie of a signed-in browser: which key, until when; never the key itself."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from flask import Response, request
from itsdangerous import BadData

from thetool.access.state import access
from thetool.web.current import settings

COOKIE = "thetool_session"
LIFETIME_SECONDS = 12 * 3600
MASTER = "master"


def claimed_key() -> str | None:
    """The id of the key that the request's cookie stands for, `MASTER`, or None without a good cookie.

    Whether that key is still good must be asked afterwards; a changed master key ends its sessions here.
    """
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    try:
        claim = access().sessions.loads(cookie, max_age=LIFETIME_SECONDS)
    except BadData:
        return None
    key = claim.get("key") if isinstance(claim, dict) else None
    if key == MASTER:
        return MASTER if hmac.compare_digest(str(claim.get("mark")), _master_mark()) else None
    return key if isinstance(key, str) and _is_uuid(key) else None


def set_cookie(response: Response, key_id: UUID | None) -> None:
    """Sign the browser in as the key `key_id` (None: the master key) for `LIFETIME_SECONDS`."""
    claim = {"key": str(key_id)} if key_id else {"key": MASTER, "mark": _master_mark()}
    response.set_cookie(
        COOKIE,
        str(access().sessions.dumps(claim)),
        max_age=LIFETIME_SECONDS,
        httponly=True,
        samesite="Strict",
        secure=_over_https(),
    )


def clear_cookie(response: Response) -> None:
    """Sign the browser out."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=_over_https())


def _over_https() -> bool:
    return request.is_secure or (settings().public_url or "").startswith("https://")


def _master_mark() -> str:
    return hashlib.sha256(b"session" + access().master_hash).hexdigest()[:16]


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
