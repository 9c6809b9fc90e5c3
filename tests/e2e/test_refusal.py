"""What gunicorn refuses before there is a request is a problem document like any other."""

from __future__ import annotations

import json
import socket

from tests.e2e.conftest import MakeService

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
