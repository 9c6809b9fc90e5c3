"""How large a request's body may be: told before it is read, and watched while it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Request

from thetool.config import Settings
from thetool.web.problems import TooLarge

View = TypeVar("View", bound=Callable[..., Any])
Limit = int | Callable[[Settings], int]

_ATTRIBUTE = "body_limit"


def limit_body(limit: Limit) -> Callable[[View], View]:
    """Let a view take bodies of up to `limit` bytes, in place of `MAX_UPLOAD_BYTES`.

    Args:
        limit: bytes, or what gives them from the settings: `limit_body(lambda settings: settings.max_table_bytes)`.

    Write it beneath the route's decorator.
    """

    def decorate(view: View) -> View:
        setattr(view, _ATTRIBUTE, limit)
        return view

    return decorate


def limit_of(view: Callable[..., Any] | None, settings: Settings) -> int:
    """The bytes that `view` takes."""
    limit: Limit = getattr(view, _ATTRIBUTE, settings.max_upload_bytes)
    return limit(settings) if callable(limit) else limit


def enforce(request: Request, limit: int) -> None:
    """Refuse a body that says it is too large; one that does not say is refused at the byte that is too many.

    Raises:
        TooLarge: before anything was read.
    """
    request.max_content_length = limit
    request.max_form_memory_size = limit
    length = request.content_length
    if length is not None and length > limit:
        raise TooLarge(f"The body has {length:,} bytes; up to {limit:,} are taken here.", limit=limit)
