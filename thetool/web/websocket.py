"""WebSockets (RFC 6455) on the connection of a request, read and written by the request's own thread.

flask-sock, which the design names, gives each socket a second thread; that thread closes the connection under gunicorn,
which then counts one connection too few (docs/decisions/0010-live.md).
"""

from __future__ import annotations

import base64
import hashlib
import select
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Response, request
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Event, Ping, TextMessage

from thetool.web.problems import BadRequest, Problem
from thetool.web.request_id import HEADER, current_request_id

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CLOSE_SECONDS = 1.0
REASON_BYTES = 123
KEY_BYTES = 16
# A close of the other side is answered, and so is a frame that cannot be read, which wsproto gives as a close too.
_ANSWERS = (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING)


class UpgradeRequired(Problem):
    """This address speaks WebSocket only."""

    status = 426
    code = "upgrade_required"
    title = "This address is a WebSocket"

    def __init__(self, detail: str | None = None, **more: Any) -> None:
        super().__init__(detail, headers={"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}, **more)


class WebSocket:
    """An open WebSocket on our side.

    `open` is false once either side has closed it, `heard_at` is when something last came (`time.monotonic()`). What
    the other side says is read and thrown away, but for its pings, pongs and close.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.heard_at = time.monotonic()
        self._protocol = Connection(ConnectionType.SERVER)

    @property
    def open(self) -> bool:
        """Whether both sides may still speak."""
        return self._protocol.state is ConnectionState.OPEN

    def send(self, text: str) -> None:
        """Send a text; raises OSError when the other side is gone."""
        self._send(TextMessage(data=text))

    def ping(self) -> None:
        """Ask whether the other side lives; its pong moves `heard_at`."""
        self._send(Ping())

    def receive(self) -> int:
        """Read what has come (call it when the connection is readable), and answer pings and a close.

        Returns:
            How many texts ended in what came.
        """
        data = self.connection.recv(4096)
        self.heard_at = time.monotonic()
        self._protocol.receive_data(data or None)
        texts = 0
        for event in self._protocol.events():
            texts += isinstance(event, TextMessage) and event.message_finished
            if isinstance(event, Ping | CloseConnection) and self._protocol.state in _ANSWERS:
                self._send(event.response())
        return texts

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Say why, wait a moment for the other side to close too, and end the connection."""
        with suppress(OSError):
            if self.open:
                self._send(CloseConnection(code=code, reason=_short(reason)))
            if self._protocol.state is ConnectionState.LOCAL_CLOSING:
                self._wait_for_the_other_side()
        # gunicorn's main loop would else wait for the other side, and with it all callers.
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _wait_for_the_other_side(self) -> None:
        poll, deadline = select.poll(), time.monotonic() + CLOSE_SECONDS
        poll.register(self.connection, select.POLLIN)
        while self._protocol.state is not ConnectionState.CLOSED and (left := deadline - time.monotonic()) > 0:
            if poll.poll(left * 1000):
                self.receive()

    def _send(self, event: Event) -> None:
        self.connection.sendall(self._protocol.send(event))


class WebSocketAnswer(Response):
    """The answer that turns a request into a WebSocket, and then talks.

    The talk begins when the view has returned and the request's line is logged: it may last for hours.
    """

    def __init__(self, talk: Callable[[WebSocket], None]) -> None:
        super().__init__(status=101)
        self._connection = _connection()
        self._accept = _accept_token()
        self._talk = talk

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Talk; ends by StopIteration, gunicorn's word for a connection that needs no answer any more."""
        try:
            with suppress(OSError):  # the other side has gone
                self._connection.sendall(self._head())
                place = WebSocket(self._connection)
                try:
                    self._talk(place)
                finally:
                    place.close(1011, "Something went wrong here.")
        finally:
            self.close()
        raise StopIteration

    def _head(self) -> bytes:
        lines = (
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {self._accept}",
            f"{HEADER}: {current_request_id()}",
        )
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


def require_upgrade() -> None:
    """Check that the request asks for a WebSocket.

    Raises:
        UpgradeRequired: it does not, or for another version, or this server cannot (426).
        BadRequest: its handshake is wrong (400).
    """
    headers = request.headers
    asked = {word.strip().lower() for word in headers.get("Connection", "").split(",")}
    if headers.get("Upgrade", "").lower() != "websocket" or "upgrade" not in asked:
        raise UpgradeRequired("Open it as a WebSocket; for plain HTTP there are server-sent events.")
    if headers.get("Sec-WebSocket-Version") != "13":
        raise UpgradeRequired("Only version 13 of the WebSocket protocol is spoken here.")
    try:
        key = base64.b64decode(headers.get("Sec-WebSocket-Key", ""), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise BadRequest("`Sec-WebSocket-Key` must be 16 bytes in base64.")
    _connection()


def caller_connection() -> socket.socket | None:
    """The connection that the present request came by; None where the server does not give it."""
    return request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")


def _connection() -> socket.socket:
    found = caller_connection()
    if found is None:
        raise UpgradeRequired("This server cannot speak WebSocket.")
    return found


def _accept_token() -> str:
    digest = hashlib.sha1(request.headers["Sec-WebSocket-Key"].encode() + MAGIC, usedforsecurity=False)
    return base64.b64encode(digest.digest()).decode()


def _short(reason: str) -> str:
    """A close frame has room for 123 bytes of reason."""
    return reason.encode()[:REASON_BYTES].decode("utf-8", "ignore")
