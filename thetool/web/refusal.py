"""What the server itself refuses, before there is a request: no HTTP, too long a line, too large headers."""

from __future__ import annotations

import socket
from typing import Any
from uuid import uuid4

import orjson

from thetool.web.headers import ON_DATA
from thetool.web.problems import MEDIA_TYPE, BadRequest, Problem
from thetool.web.request_id import HEADER


class LineTooLong(Problem):
    """The address is longer than the server reads."""

    status = 414
    code = "uri_too_long"
    title = "The address is too long"


class HeadersTooLarge(Problem):
    """The headers are larger, or more, than the server reads."""

    status = 431
    code = "headers_too_large"
    title = "The headers are too large"


class NotSupported(Problem):
    """The request uses a part of HTTP that the server does not have, such as another transfer coding."""

    status = 501
    code = "not_supported"
    title = "The server does not have this part of HTTP"


_BY_STATUS = {kind.status: kind for kind in (LineTooLong, HeadersTooLarge, NotSupported, Problem)}


class RefusedSocket:
    """A connection on which gunicorn writes its own error page; the caller gets a problem with the same status."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def sendall(self, page: bytes) -> None:
        """Send the problem in place of the page."""
        self._connection.sendall(problem_response(int(page.split(None, 2)[1])))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def problem_response(status: int) -> bytes:
    """A whole HTTP response for a request that could not be read."""
    request_id = uuid4().hex
    problem = _BY_STATUS.get(status, BadRequest)()
    body = orjson.dumps(problem.body(request_id), option=orjson.OPT_APPEND_NEWLINE)
    headers = [
        ("Connection", "close"),
        ("Content-Type", MEDIA_TYPE),
        ("Content-Length", str(len(body))),
        (HEADER, request_id),
        *ON_DATA,
        ("Cache-Control", "no-store"),
    ]
    lines = [f"HTTP/1.1 {problem.status} {problem.title}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
