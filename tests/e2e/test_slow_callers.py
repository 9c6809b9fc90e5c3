"""Callers that never finish what they say do not take the threads away from the others."""

from __future__ import annotations

import socket
from contextlib import ExitStack

from tests.e2e.conftest import MakeService


def test_unfinished_heads_are_dropped(make_service: MakeService) -> None:
    service = make_service(THREADS=4, WEB_CONCURRENCY=1, SAMPLE_HEAD_SECONDS=1).start()
    with ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection(("127.0.0.1", service.port))) for _ in range(12)]
        for connection in slow:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n")
        assert service.is_up()
        assert slow[0].recv(100) == b""
