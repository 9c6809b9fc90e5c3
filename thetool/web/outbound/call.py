"""One HTTP exchange: with the address that was checked, within a time, over no proxy."""

from __future__ import annotations

import contextlib
import functools
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Literal

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from thetool.web.outbound.addresses import Endpoint, NameUnknown, Target, look_up

LOOK_UP_SECONDS = 5.0
CONNECT_SECONDS = 5.0

Reason = Literal["name_unknown", "timeout", "certificate", "unreachable"]
FAILURES = (OSError, http.client.HTTPException, HTTPError, ValueError)
"""What may come out of a connection to a stranger."""


class Unreachable(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The other side could not be asked, or gave no answer; `reason` says how."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Call:
    """A connection for one request; redirects are not followed.

    Args:
        target: whom to ask.
        seconds: how long looking up, connecting, asking and the head of the answer may take together.
        private: whether private addresses may be reached.

    Raises:
        AddressRefused: the host leads to an address that may not be reached.
        Unreachable: there is no such name.
    """

    def __init__(self, target: Target, seconds: float, *, private: bool) -> None:
        self._target = target
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        try:
            endpoints = look_up(target, min(LOOK_UP_SECONDS, seconds), private=private)
        except NameUnknown as error:
            raise Unreachable("name_unknown", str(error)) from error
        self._line = Line(endpoints, self._deadline)
        self._connection = _connection(target, self._line)

    def __enter__(self) -> Call:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._connection.close()
        self._line.close()

    def send(self, method: str, headers: Mapping[str, str], body: bytes | None = None) -> Any:
        """Ask; the answer with its head read, and its body not.

        Args:
            method: of HTTP.
            headers: sent with it, beside `Host` and `Content-Length`.
            body: what is sent.

        Returns:
            urllib3's response.

        Raises:
            Unreachable: no connection, no trusted certificate, no answer that is HTTP, or none within the time.
        """
        try:
            with self._line.cut_at(self._deadline):
                self._connection.request(
                    method, self._target.path, body=body, headers=dict(headers), preload_content=False
                )
                response = self._connection.getresponse()
            if self._line.was_cut:  # an end within the headers looks like the end of the headers
                raise TimeoutError
        except FAILURES as error:
            raise self._told(error) from error
        return response

    def cut_at(self, moment: float) -> contextlib.AbstractContextManager[None]:
        """Cut the connection if what happens meanwhile is not over by then (`time.monotonic()`)."""
        return self._line.cut_at(moment)

    @property
    def was_cut(self) -> bool:
        """Whether the time was over."""
        return self._line.was_cut

    def _told(self, error: Exception) -> Unreachable:
        where = f"{self._target.host}:{self._target.port}"
        if self._line.was_cut:
            return Unreachable("timeout", f"{where} gave no answer within {self._seconds:g} seconds.")
        if isinstance(error, TimeoutError):
            return Unreachable("timeout", f"{where} took no connection within {CONNECT_SECONDS:g} seconds.")
        if "certificate" in str(error).lower():
            return Unreachable("certificate", f"The certificate of {where} is not good: {error}")
        if isinstance(error, OSError):
            return Unreachable("unreachable", f"{where} cannot be reached: {error.strerror or error}.")
        return Unreachable("unreachable", f"{where} gave no answer that is HTTP: {error}")


class Line:
    """The socket to one of the checked addresses, and the end of the time for it.

    A timeout of the socket is for one read: who sends a byte now and then would hold us for ever. So the whole line is
    cut, through a second descriptor, because TLS takes the first one away while it shakes hands.
    """

    def __init__(self, endpoints: list[Endpoint], deadline: float) -> None:
        self._endpoints = endpoints
        self._deadline = deadline
        self._second: socket.socket | None = None
        self.was_cut = False

    def connect(self) -> socket.socket:
        """A socket that is connected to one of the addresses; raises OSError when none answers."""
        until = min(self._deadline, time.monotonic() + CONNECT_SECONDS)
        failure: OSError = TimeoutError("timed out")
        for family, address in self._endpoints:
            if time.monotonic() >= until:
                break
            line = socket.socket(family, socket.SOCK_STREAM)
            try:
                line.settimeout(max(0.01, until - time.monotonic()))
                line.connect(address)
                line.settimeout(max(0.01, self._deadline - time.monotonic()))
                self._second = line.dup()
                if self.was_cut:  # a moment before there was anything to cut
                    raise TimeoutError("timed out")
            except OSError as error:
                line.close()
                failure = error
            else:
                return line
        raise failure

    @contextlib.contextmanager
    def cut_at(self, moment: float) -> Iterator[None]:
        """Cut the line if what happens meanwhile is not over by then (`time.monotonic()`)."""
        timer = threading.Timer(max(0.01, moment - time.monotonic()), self.cut)
        timer.name, timer.daemon = "outbound-deadline", True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def cut(self) -> None:
        """End whatever is being sent or read."""
        self.was_cut = True
        if self._second is not None:
            with contextlib.suppress(OSError):
                self._second.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the second descriptor."""
        if self._second is not None:
            self._second.close()


class _ToLine:
    """A connection that takes its socket from a line; name, `Host` and certificate stay those of the URL."""

    line: Line

    def _new_conn(self) -> socket.socket:
        return self.line.connect()


class _PlainConnection(_ToLine, HTTPConnection):
    pass


class _SecureConnection(_ToLine, HTTPSConnection):
    pass


def _connection(target: Target, line: Line) -> HTTPConnection:
    connection: HTTPConnection
    if target.scheme == "https":
        connection = _SecureConnection(target.host, target.port, ssl_context=trust(), cert_reqs=ssl.CERT_REQUIRED)
    else:
        connection = _PlainConnection(target.host, target.port)
    connection.line = line
    return connection


@functools.cache
def trust() -> ssl.SSLContext:
    """The system's authorities; loaded once, because that takes longer than the rest."""
    return ssl.create_default_context()
