"""Large files through a real server process: memory, cut-off bodies, slow readers."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import MASTER_KEY
from tests.storage.conftest import only_postgres
from tests.storage.server import KEY, Server, serve

MIB = 1 << 20


@pytest.fixture
def values(values: dict[str, Any]) -> dict[str, Any]:
    """One connection to the database, so that whoever holds it stops everybody."""
    return values | {"DATABASE_POOL_SIZE": "1"}


@pytest.fixture
def server(values: dict[str, Any]) -> Iterator[Server]:
    with serve(values) as server:
        yield server


def generated(size: int) -> Iterator[bytes]:
    block = os.urandom(64 << 10)
    for _ in range(size // len(block)):
        yield block


def test_100_mb_up_and_down_add_less_than_30_mb(server: Server) -> None:
    """Peak memory of the worker process (VmHWM) over what it used before, after a first file warmed it up."""
    warm = server.upload(generated(20 * MIB))
    with server.download(warm["id"]) as answer:
        while answer.read(MIB):
            pass
    before = server.ask("POST", "/memory")["now"]

    made = server.upload(generated(100 * MIB))
    assert made["size"] == 100 * MIB
    up = server.ask("POST", "/memory")["peak"] - before

    digest = hashlib.sha256()
    with server.download(made["id"]) as answer:
        assert answer.headers["Content-Length"] == str(100 * MIB)
        while piece := answer.read(MIB):
            digest.update(piece)
    down = server.ask("POST", "/memory")["peak"] - before
    assert digest.hexdigest() == made["sha256"]
    assert up < 30e6
    assert down < 30e6


def test_a_body_that_is_cut_off_leaves_nothing(server: Server, left: Callable[[], Any]) -> None:
    """The client goes away in the middle; gunicorn then just says that the body is over."""
    head = f"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY['Authorization']}\r\n"
    framings = (f"Content-Length: {30 * MIB}\r\n\r\n".encode(), b"Transfer-Encoding: chunked\r\n\r\n1400000\r\n")
    for framing in framings:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(head.encode() + framing)
            connection.sendall(bytes(19 * MIB))
            _until(lambda: left()[0] == 1)
    _until(lambda: left() == (0, 0))


@only_postgres
def test_slow_clients_hold_no_connection(server: Server) -> None:
    """More of them than the pool has connections, up and down, and the others are served all the same."""
    made = server.upload(generated(20 * MIB))
    issued = server.ask("POST", "/api/v1/keys", '{"name": "slow"}', **{"Content-Type": "application/json"})
    slow = []
    try:
        head = f"HTTP/1.1\r\nHost: x\r\nAuthorization: {KEY['Authorization']}\r\n"
        half_a_body = f"POST /upload {head}Content-Length: 100\r\n\r\n..".replace(MASTER_KEY, issued["key"])
        for request in (f"GET /files/{made['id']} {head}\r\n", half_a_body):
            for _ in range(2):
                connection = socket.create_connection(("127.0.0.1", server.port))
                connection.sendall(request.encode())
                slow.append(connection)
        for connection in slow[:2]:
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert server.upload([b"quick"])["size"] == 5
        with server.download(made["id"]) as answer:
            assert len(answer.read()) == 20 * MIB
    finally:
        for connection in slow:
            connection.close()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.05)
