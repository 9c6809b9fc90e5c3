"""Signing a browser in with a key, for the pages."""

from __future__ import annotations

from flask import Response

from thetool.access.caller import Caller, InvalidKey, Unauthenticated, caller_of_key, current_caller
from thetool.access.same_origin import require_same_origin
from thetool.access.session import clear_cookie, set_cookie


def sign_in(response: Response, key: str) -> Caller:
    """Put the session's cookie on `response` when the key is good; good for 12 hours or until the key is not.

    Failed attempts count against the address's rate limit, as every request without a good key does.

    Raises:
        InvalidKey: an unknown, expired or revoked key (401).
        Forbidden: the form was not sent by our own page (403).
        DatabaseAway: the key is not known here and the database cannot be asked (503).
    """
    require_same_origin()
    caller = caller_of_key(key.strip())
    set_cookie(response, caller.key_id)
    return caller


def sign_out(response: Response) -> None:
    """Take the session's cookie away.

    Raises:
        Forbidden: the form was not sent by our own page (403).
    """
    require_same_origin()
    clear_cookie(response)


def session_caller() -> Caller | None:
    """Who is signed in (or sent a key with the request); None for a stranger, whom a page sends to sign in.

    Raises:
        DatabaseAway: the key is not known here and the database cannot be asked (503).
    """
    try:
        return current_caller()
    except (Unauthenticated, InvalidKey):
        return None
