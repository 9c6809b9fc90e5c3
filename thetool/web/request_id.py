"""The id that one request carries through answers, logs and jobs (`X-Request-ID`)."""

from __future__ import annotations

import re
from uuid import uuid4

from flask import g, has_request_context

HEADER = "X-Request-ID"
_sane = re.compile(r"[A-Za-z0-9._-]{1,128}").fullmatch


def choose_request_id(offered: str | None) -> str:
    """The caller's id when it is sane (1 to 128 of `A-Z a-z 0-9 . _ -`), else a new one."""
    return offered if offered and _sane(offered) else uuid4().hex


def current_request_id() -> str:
    """The id of the request being answered; outside a request a new one, for whatever starts there."""
    if has_request_context() and "request_id" in g:
        return str(g.request_id)
    return uuid4().hex
