"""The nonce that lets one inline script or style of a page through the Content-Security-Policy."""

from __future__ import annotations

import secrets

from flask import g


def csp_nonce() -> str:
    """The nonce of this answer, made when a template first asks for it; the policy's header then carries it."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)
