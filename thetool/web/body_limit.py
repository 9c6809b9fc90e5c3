"""How large a request's body may be: told before it is read, and watched while it is read."""

from __future__ import annotations

from collections.abc import Callable
from io import RawIOBase
from typing import Any, TypeVar

from flask import Request
from gunicorn.http.errors import ParseException

from thetool.config import Settings
from thetool.web.problems import BadRequest, TooLarge

View = TypeVar("View", bound=Callable[..., Any])
Limit = int | Callable[[Settings], int]

_ATTRIBUTE = "body_limit"
PIECE_BYTES = 512 * 1024


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


class BoundedBody(RawIOBase):
    """A request's body that raises at the byte that is too many, and when it ends too early.

    Werkzeug's own stream ends quietly in both cases, so that a view would take the beginning for the whole. It asks for
    64 KiB at a time, and gunicorn copies all that it has received at each: larger pieces are kept here.
    """

    def __init__(self, stream: Any, limit: int, declared: int | None) -> None:
        self._stream = stream
        self._limit = limit
        self._declared = declared
        self._read = 0
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into `buffer`; raises TooLarge or BadRequest."""
        taken = 0
        while taken < len(buffer):
            if not self._piece:
                self._piece = memoryview(self._next())
            if not self._piece:
                break
            part = self._piece[: len(buffer) - taken]
            buffer[taken : taken + len(part)] = part
            self._piece = self._piece[len(part) :]
            taken += len(part)
        return taken

    def _next(self) -> bytes:
        size = min(PIECE_BYTES, self._limit - self._read + 1)
        if self._declared is not None:  # a stream that is a bare socket waits for what was never announced
            size = min(size, self._declared - self._read)
        if not size:
            return b""
        try:
            data: bytes = self._stream.read(size)
        except (OSError, ParseException) as error:  # a caller who has gone, or chunks that are none
            raise BadRequest("The body is broken off, or its chunks cannot be read.") from error
        self._read += len(data)
        if self._read > self._limit:
            raise TooLarge(f"The body is longer than the {self._limit:,} bytes that are taken here.", limit=self._limit)
        if not data and self._declared is not None and self._read < self._declared:
            raise BadRequest(f"The body ended after {self._read:,} of {self._declared:,} bytes.")
        return data


def enforce(request: Request, limit: int) -> None:
    """Refuse a body that says it is too large; watch the others while they are read.

    Raises:
        TooLarge: before anything was read.
    """
    length = request.content_length
    if length is not None and length > limit:
        raise TooLarge(f"The body has {length:,} bytes; up to {limit:,} are taken here.", limit=limit)
    request.environ["wsgi.input"] = BoundedBody(request.environ["wsgi.input"], limit, length)
    request.max_content_length = limit + 1  # Werkzeug must not stop quietly before ours raises
    request.max_form_memory_size = limit
