"""One POST to a webhook's receiver: to the address that was checked, within a time, reading next to nothing."""

from __future__ import annotations

import contextlib
import functools
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from thetool.jobs.webhooks.addresses import Endpoint, NameUnknown, Target, look_up

LOOK_UP_SECONDS = 5.0
CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
LAST_READ_SECONDS = 0.5
READ_BYTES = 4096


class Unreachable(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The receiver could not be asked, or gave no answer; `code` says how."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver said. `retry_after` is in seconds, where it asked for that."""

    status: int
    retry_after: float
    location: str | None


def post(target: Target, body: bytes, headers: Mapping[str, str], *, private: bool) -> Answer:
    """Send a POST; redirects are not followed, and no proxy is used.

    Args:
        target: where to.
        body: what is sent.
        headers: sent with it, beside `Host` and `Content-Length`.
        private: whether private addresses may be reached.

    Raises:
        AddressRefused: the host leads to an address that may not be reached.
        Unreachable: no connection, no trusted certificate, no answer that is HTTP, or none within 15 seconds.
    """
    deadline = time.monotonic() + TOTAL_SECONDS
    try:
        endpoints = look_up(target, LOOK_UP_SECONDS, private=private)
    except NameUnknown as error:
        raise Unreachable("webhook_name_unknown", str(error)) from error
    line = _Line(endpoints, deadline)
    connection = _connection(target, line)
    try:
        with line.cut_at(deadline):
            connection.request("POST", target.path, body=body, headers=dict(headers), preload_content=False)
            response = connection.getresponse()
        if line.was_cut:  # an end within the headers looks like the end of the headers
            raise TimeoutError
    except (OSError, http.client.HTTPException, HTTPError, ValueError) as error:
        raise _told(error, target, line) from error
    else:
        answer = Answer(response.status, _retry_after(response.headers), response.headers.get("Location"))
        with line.cut_at(time.monotonic() + LAST_READ_SECONDS):
            _read_a_little(response)
        return answer
    finally:
        connection.close()
        line.close()


class _Line:
    """The socket to one of the checked addresses, and the end of the time for it.

    A timeout of the socket is for one read: a receiver that sends a byte now and then would hold us for ever. So the
    whole line is cut, through a second descriptor, because TLS takes the first one away while it shakes hands.
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
                line.settimeout(TOTAL_SECONDS)
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
        timer = threading.Timer(max(0.01, moment - time.monotonic()), self._cut)
        timer.name, timer.daemon = "webhook-deadline", True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        if self._second is not None:
            self._second.close()

    def _cut(self) -> None:
        self.was_cut = True
        if self._second is not None:
            with contextlib.suppress(OSError):
                self._second.shutdown(socket.SHUT_RDWR)


class _ToLine:
    """A connection that takes its socket from a line; name, `Host` and certificate stay those of the URL."""

    line: _Line

    def _new_conn(self) -> socket.socket:
        return self.line.connect()


class _PlainConnection(_ToLine, HTTPConnection):
    pass


class _SecureConnection(_ToLine, HTTPSConnection):
    pass


def _connection(target: Target, line: _Line) -> HTTPConnection:
    connection: HTTPConnection
    if target.scheme == "https":
        connection = _SecureConnection(
            target.host, target.port, timeout=TOTAL_SECONDS, ssl_context=_trust(), cert_reqs=ssl.CERT_REQUIRED
        )
    else:
        connection = _PlainConnection(target.host, target.port, timeout=TOTAL_SECONDS)
    connection.line = line
    return connection


@functools.cache
def _trust() -> ssl.SSLContext:
    """The system's authorities; loaded once, because that takes longer than the rest."""
    return ssl.create_default_context()


def _read_a_little(response: Any) -> None:
    """Take what is there of the body, so that a receiver which says "ok" is not cut off while it says it."""
    with contextlib.suppress(OSError, http.client.HTTPException, HTTPError, ValueError):
        response.read1(READ_BYTES, decode_content=False)


def _told(error: Exception, target: Target, line: _Line) -> Unreachable:
    where = f"{target.host}:{target.port}"
    if line.was_cut:
        return Unreachable("webhook_timeout", f"{where} gave no answer within {TOTAL_SECONDS:g} seconds.")
    if isinstance(error, TimeoutError):
        return Unreachable("webhook_timeout", f"{where} took no connection within {CONNECT_SECONDS:g} seconds.")
    if "certificate" in str(error).lower():
        return Unreachable("webhook_certificate", f"The certificate of {where} is not good: {error}")
    if isinstance(error, OSError):
        return Unreachable("webhook_unreachable", f"{where} cannot be reached: {error}")
    return Unreachable("webhook_unreachable", f"{where} gave no answer that is HTTP: {error}")


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of a `Retry-After` (RFC 9110 section 10.2.3), which is a number or a date; 0 when there is none."""
    given = (headers.get("Retry-After") or "").strip()
    if given.isascii() and given.isdecimal() and len(given) < 10:
        return float(given)
    try:
        moment = parsedate_to_datetime(given)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
