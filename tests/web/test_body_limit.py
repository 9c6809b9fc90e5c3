"""A body that is too large is refused before it is read, and a body of unknown size while it is read."""

from __future__ import annotations

import json
import socket
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import problem_of

LIMIT = 20_000


class Unread(BytesIO):
    """A body that fails the test when somebody reads it."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = readinto = read  # type: ignore[assignment]


@pytest.mark.parametrize("path", ["/size", "/unread", "/orders", "/form"])
def test_declared_size_is_refused_unread(api: FlaskClient, path: str) -> None:
    response = api.post(path, input_stream=Unread(), environ_overrides={"CONTENT_LENGTH": str(LIMIT + 1)})
    assert problem_of(response, 413, "too_large")["limit"] == LIMIT


def test_the_limit_itself_is_taken(api: FlaskClient) -> None:
    assert api.post("/size", data=b"x" * LIMIT).json == {"bytes": LIMIT}


def test_a_view_may_take_more(api: FlaskClient) -> None:
    assert api.post("/large", data=b"x" * LIMIT * 10).json == {"bytes": LIMIT * 10}
    problem_of(api.post("/large", data=b"x" * (LIMIT * 10 + 1)), 413, "too_large")


def test_unknown_path_is_not_found_whatever_its_body(api: FlaskClient) -> None:
    problem_of(
        api.post("/nowhere", input_stream=Unread(), environ_overrides={"CONTENT_LENGTH": "999999"}), 404, "not_found"
    )


def test_a_form_field_may_be_as_long_as_the_body(api: FlaskClient) -> None:
    long = "x" * (LIMIT - 500)
    response = api.post("/form", data={"text": long}, content_type="multipart/form-data")
    assert response.json["fields"] == {"text": long}


def test_too_many_form_fields(api: FlaskClient) -> None:
    body = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 2000 + "--x--\r\n"
    response = api.post("/large-form", data=body, content_type="multipart/form-data; boundary=x")
    problem_of(response, 413, "too_large")


def _answer(connection: socket.socket) -> bytes:
    """What the server answers, up to the end of its JSON."""
    answer = b""
    try:
        while not answer.endswith(b"}") and (part := connection.recv(65536)):
            answer += part
    except ConnectionResetError:
        pass  # it answered, and closed while more was on its way
    return answer


def _exchange(port: int, head: str, chunks: list[bytes]) -> tuple[int, dict[str, Any]]:
    """Send a request piece by piece until the server answers; its status and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        try:
            for chunk in chunks:
                connection.sendall(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            connection.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it answered and closed, without taking the rest
        answer = _answer(connection)
    status = int(answer.split(b" ", 2)[1])
    return status, json.loads(answer.partition(b"\r\n\r\n")[2])


CHUNKED = "POST /size HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nConnection: close"


def test_chunked_body_within_the_limit(port: int) -> None:
    assert _exchange(port, CHUNKED, [b"x" * 1000] * 20) == (200, {"bytes": 20_000})


def test_chunked_body_over_the_limit(port: int) -> None:
    status, body = _exchange(port, CHUNKED, [b"x" * 1000] * 60)
    assert (status, body.get("code")) == (413, "too_large"), body


def test_a_body_that_ends_early_is_not_taken_for_the_whole(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        connection.shutdown(socket.SHUT_WR)
        answer = _answer(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"ended after 3 of 100 bytes" in answer


def test_chunks_that_are_none_are_the_callers_mistake(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(CHUNKED.replace("\n", "\r\n").encode() + b"\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n")
        answer = _answer(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"bad_request"' in answer


def test_real_server_answers_before_the_body_comes(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"POST /size HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n")
        answer = _answer(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
