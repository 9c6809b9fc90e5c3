"""Addresses that callers can use, also behind a proxy."""

from __future__ import annotations

from flask import has_request_context, request

from thetool.config import Settings
from thetool.web.current import settings


def absolute_url(path: str) -> str:
    """The full address of `path` (which starts with `/`): under `PUBLIC_URL`, else as this request came in."""
    configured = settings()
    if configured.public_url:
        return configured.public_url + path
    if has_request_context() and request.host:  # empty when the `Host` that was sent is none
        return request.host_url.rstrip("/") + path
    return configured_url(configured, path)


def configured_url(settings: Settings, path: str) -> str:
    """The full address of `path` where no request tells it: under `PUBLIC_URL`, else where the service listens."""
    return (settings.public_url or f"http://{settings.host}:{settings.port}") + path
