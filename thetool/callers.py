"""What a worker puts up with from its callers: some stop talking, talk one byte at a time, or talk nonsense."""

from __future__ import annotations

import errno
import socket
import struct
import time
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

# A few hundred callers that stop talking, or talk one byte at a time, must not hold all threads.
HEAD_SECONDS = 20
SILENT_SECONDS = 60
# Of a request that is answered before its body was read (401, 413, 429): many clients read the answer only when they
# have sent all, and lose it when the connection is reset. gunicorn takes 64 KiB.
REST_BYTES, REST_SECONDS = 2**27, 30.0
REST_SILENT_SECONDS = 2.0


class CallerLimits(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker, with limits for how long a caller may keep a thread waiting."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading_head: dict[Any, float] = {}

    def limit_silence(self) -> None:
        """Wait at most `SILENT_SECONDS` for each read and write of the connections to come."""
        for listener in self.sockets:
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):  # its connections inherit them
                listener.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", SILENT_SECONDS, 0))

    def accept(self, listener: Any) -> None:
        """Accept one connection; out of file descriptors, wait a moment instead of ending the worker."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                raise
            self.log.warning("Cannot accept a connection: %s", error)
            time.sleep(0.1)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse what is no HTTP as gunicorn does, in the form that all problems have."""
        from thetool.web.refusal import RefusedSocket

        super().handle_error(req, RefusedSocket(client), addr, exc)

    def handle(self, conn: Any) -> Any:
        """Read a request and answer it, on a thread of the pool."""
        self._reading_head[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            self._reading_head.pop(conn, None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head has been read."""
        self._reading_head.pop(conn, None)
        try:
            return super().handle_request(req, conn)
        except BlockingIOError:  # the caller takes nothing of the answer, for SILENT_SECONDS
            return False

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the connection is kept for another request; either way the caller gets to read the answer."""
        if take_rest(conn) and keepalive:
            return True
        hang_up(conn.sock)
        return False

    def drop_slow_heads(self, now: float) -> None:
        """Hang up on callers whose request line and headers do not come to an end; `now` is monotonic."""
        for conn, since in self._reading_head.copy().items():
            if now - since > HEAD_SECONDS:
                with suppress(OSError):  # it has gone by itself
                    conn.sock.shutdown(socket.SHUT_RDWR)


def take_rest(conn: Any) -> bool:
    """Read what the application left of the request's body, within bounds; whether that was all of it."""
    body = conn.parser.mesg.body
    if getattr(body, "failed", False):
        return False
    taken, deadline = 0, time.monotonic() + REST_SECONDS
    try:
        conn.sock.settimeout(REST_SILENT_SECONDS)
        while data := body.read(65_536):
            taken += len(data)
            if taken > REST_BYTES or time.monotonic() > deadline:
                return False
        conn.sock.settimeout(None)
    except (OSError, ParseException):
        return False
    return True


def hang_up(connection: socket.socket) -> None:
    """End our side, then wait for the caller to end theirs: closed with bytes unread, it would be reset.

    It is done here, on a thread, because gunicorn does the like in its main loop, which has others to serve.
    """
    deadline = time.monotonic() + REST_SILENT_SECONDS
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(REST_SILENT_SECONDS)
        while connection.recv(65_536) and time.monotonic() < deadline:
            pass
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
