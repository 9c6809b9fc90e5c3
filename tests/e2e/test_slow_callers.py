"""Callers that never finish what they say do not take the threads away from the others."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from tests.e2e.conftest import MakeService
from tests.e2e.service import KEY

HEAD = b"GET /health HTTP/1.1\r\nHost: here\r\n"
BODY = (
    b"POST /sample/jobs/polite HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer " + KEY.encode() + b"\r\nContent-Length: 100\r\n\r\n{"
)


def test_unfinished_requests_are_dropped(make_service: MakeService) -> None:
    service = make_service(THREADS=4, WEB_CONCURRENCY=1, SAMPLE_IMPATIENT=1).start()
    for beginning in (HEAD, BODY):
        with ExitStack() as stack:
            slow = [stack.enter_context(socket.create_connection(("127.0.0.1", service.port))) for _ in range(4)]
            for connection in slow:
                connection.sendall(beginning)
            assert service.is_up()
            for connection in slow:
                connection.settimeout(30)
                answer = b"".join(iter(lambda: connection.recv(4096), b""))  # noqa: B023
                assert not answer or answer.startswith(b"HTTP/1.1 4"), answer
    assert "Traceback" not in service.log()
