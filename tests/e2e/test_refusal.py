"""What is refused before it has been read: no HTTP, and large bodies that nobody needs to read."""

from __future__ import annotations

import json
import socket

import pytest

from tests.e2e.conftest import MakeService
from tests.e2e.service import KEY, Service

REFUSED = [
    (b"rubbish\r\n\r\n", 400, "bad_request"),
    (b"GET / HTTP/9.9\r\n\r\n", 400, "bad_request"),
    (b"GET / HTTP/1.1\r\nHost: here\r\nbad header\r\n\r\n", 400, "bad_request"),
    (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: here\r\n\r\n", 414, "uri_too_long"),
    (b"GET / HTTP/1.1\r\nHost: here\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431, "headers_too_large"),
    (b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: sdch\r\n\r\n", 501, "not_supported"),
]


def answer_to(request: bytes, port: int) -> tuple[bytes, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        head, _, body = b"".join(iter(lambda: connection.recv(65_536), b"")).partition(b"\r\n\r\n")
        return head, body


def test_is_a_problem(make_service: MakeService) -> None:
    service = make_service(WEB_CONCURRENCY=1).start()
    for request, status, code in REFUSED:
        head, body = answer_to(request, service.port)
        assert head.split()[1] == str(status).encode(), request[:60]
        assert b"Content-Type: application/problem+json" in head
        problem = json.loads(body)
        assert (problem["status"], problem["code"]) == (status, code)
        assert problem["request_id"].encode() in head


@pytest.mark.parametrize(
    ("key", "megabytes", "status"), [("wrong", 0.1, 401), ("wrong", 20, 401), (KEY, 51, 413)], ids=str
)
def test_an_early_refusal_reaches_who_reads_it_only_after_sending_all(
    service: Service, key: str, megabytes: float, status: int
) -> None:
    """Without the rest of the body being taken, the connection is reset and the caller never sees the answer."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "text/plain"}
    body = bytes(int(megabytes * 2**20))
    with service.connection() as connection:
        connection.connect()
        mine = connection.sock
        for goes_on in ("keep-alive", "keep-alive", "close"):
            connection.request("POST", "/analyze", body, {**headers, "Connection": goes_on})
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["status"]) == (status, status)
            assert goes_on == "close" or connection.sock is mine, "the connection is kept, as the answer said"
