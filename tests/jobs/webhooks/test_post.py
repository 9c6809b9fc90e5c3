"""One POST: to the address that was checked, within a time, whatever the receiver does."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.making import until
from tests.jobs.webhooks.receiver import Receiver, misbehaving, receiving
from tests.web.outbound.certificates import certificate
from thetool.jobs.webhooks import post as posting
from thetool.jobs.webhooks.post import post
from thetool.web.outbound import addresses
from thetool.web.outbound.addresses import AddressRefused, Target
from thetool.web.outbound.call import Line, Unreachable, trust


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second, in place of fifteen."""
    monkeypatch.setattr(posting, "TOTAL_SECONDS", 1.0)
    monkeypatch.setattr(posting, "LAST_READ_SECONDS", 0.1)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the resolver answers, one after the other; taken away as it is asked."""
    answers: list[list[str]] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in answers.pop(0)]

    monkeypatch.setattr(addresses, "getaddrinfo", getaddrinfo)
    return answers


def send(url: str, body: bytes = b"{}", private: bool = True) -> posting.Answer:
    return post(Target.of(url), body, {"X-Test": "1"}, private=private)


def test_what_is_sent_arrives(receiver: Receiver) -> None:
    answer = send(f"{receiver.url}?a=b", b'{"x": 1}')
    assert answer.status == 200
    (request,) = receiver.requests
    assert (request.path, request.body) == ("/hook?a=b", b'{"x": 1}')
    assert request.headers["x-test"] == "1"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


def test_a_private_address_is_not_reached(receiver: Receiver, names: list[list[str]]) -> None:
    names.append(["127.0.0.1"])
    with pytest.raises(AddressRefused):
        send(f"http://inside.example:{receiver.port}/", private=False)
    assert receiver.requests == []


def test_the_connection_goes_to_what_was_checked(receiver: Receiver, names: list[list[str]]) -> None:
    """A resolver that says something else a moment later (DNS rebinding) is not asked again."""
    names += [["127.0.0.1"], ["10.255.255.1"]]
    assert send(f"http://rebinding.example:{receiver.port}/").status == 200
    assert receiver.requests[0].headers["host"] == f"rebinding.example:{receiver.port}"
    assert names == [["10.255.255.1"]]


def test_the_next_address_is_tried_when_one_does_not_answer(receiver: Receiver, names: list[list[str]]) -> None:
    names.append(["127.0.0.2", "127.0.0.1"])  # the receiver listens on the second alone
    assert send(f"http://two.example:{receiver.port}/").status == 200


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as inner:
        receiver.answers.append((302, {"Location": inner.url}))
        answer = send(receiver.url)
        assert (answer.status, answer.location) == (302, inner.url)
        assert inner.requests == []


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("120", 120.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", 0.0), ("-5", 0.0), ("9" * 40, 0.0), ("²", 0.0)],
    ids=range(6),
)
def test_retry_after_is_read(receiver: Receiver, given: str, seconds: float) -> None:
    receiver.answers.append((503, {"Retry-After": given.encode().decode("latin-1")}))
    answer = send(receiver.url)
    assert (answer.status, answer.retry_after) == (503, seconds)


def silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait(60)


def dripping(what: bytes, drop: bytes = b"x") -> Callable[[socket.socket, threading.Event], None]:
    """Sends this, then a byte now and then, and never comes to an end."""

    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(what)
        while not over.wait(0.05):
            connection.sendall(drop)

    return serve


def endless_continue(connection: socket.socket, over: threading.Event) -> None:
    while not over.wait(0.01):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize(
    ("serve", "scheme"),
    [
        (silent, "http"),
        (silent, "https"),
        (dripping(b"HTTP/1.1 200 OK\r\nX-Slow: "), "http"),
        (dripping(b"\x16\x03\x03\x3f\xff"), "https"),
        (endless_continue, "http"),
    ],
    ids=["silent", "silent TLS", "dripped headers", "dripped handshake", "endless 100"],
)
def test_a_receiver_that_does_not_come_to_an_end_is_cut_off(serve: Any, scheme: str, short: None) -> None:
    began = time.monotonic()
    with misbehaving(serve) as port, pytest.raises(Unreachable) as caught:
        send(f"{scheme}://127.0.0.1:{port}/")
    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < 30
    until(lambda: "outbound-deadline" not in [thread.name for thread in threading.enumerate()], "its clock has ended")


@pytest.mark.parametrize("header", [b"Content-Length: 1000000", b"Transfer-Encoding: chunked"])
def test_a_body_that_drips_is_not_waited_for(header: bytes, short: None) -> None:
    """Also when what drips is the length of a chunk, a line that is read to its end."""
    began = time.monotonic()
    with misbehaving(dripping(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n\r\n", drop=b"0")) as port:
        assert send(f"http://127.0.0.1:{port}/").status == 200
    assert time.monotonic() - began < 30


def test_what_connects_when_the_time_is_over_is_cut(receiver: Receiver, short: None) -> None:
    line = Line([(socket.AF_INET, ("127.0.0.1", receiver.port))], time.monotonic() + 60)
    line.cut()
    with pytest.raises(TimeoutError):
        line.connect()
    line.close()


def test_a_huge_body_is_left(short: None) -> None:
    sent = 0

    def pour(connection: socket.socket, over: threading.Event) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not over.is_set():
            connection.sendall(b"x" * 65_536)
            sent += 65_536

    with misbehaving(pour) as port:
        assert send(f"http://127.0.0.1:{port}/").status == 200
    assert sent < 64 * 2**20  # no more than the system's buffers hold


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
        b"HTTP/1.1 999999 what\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=["another protocol", "nothing", "no status", "many headers", "a long header"],
)
def test_what_is_not_http_is_told(answer: bytes) -> None:
    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(answer)

    with misbehaving(serve) as port, pytest.raises(Unreachable) as caught:
        send(f"http://127.0.0.1:{port}/")
    assert caught.value.reason == "unreachable"


def test_a_closed_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once:
        port = once.getsockname()[1]
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port} cannot be reached"):
        send(f"http://127.0.0.1:{port}/")


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[Receiver, list[str | None], Path]]:
    """A receiver with TLS for hooks.example, the names that callers asked it for, and its certificate."""
    public, private = certificate(tmp_path, "hooks.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    with receiving(lambda plain: context.wrap_socket(plain, server_side=True)) as receiver:
        yield receiver, asked, public


@pytest.fixture
def trusting(secure: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(secure[2]))
    trust.cache_clear()
    yield
    trust.cache_clear()


def test_tls_is_with_the_name_of_the_url(secure: Any, trusting: None, names: list[list[str]]) -> None:
    receiver, asked, _ = secure
    names.append(["127.0.0.1"])
    assert send(f"https://hooks.example:{receiver.port}/").status == 200
    assert asked == ["hooks.example"]
    assert receiver.requests[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_a_certificate_of_another_name_is_not_taken(secure: Any, trusting: None, names: list[list[str]]) -> None:
    receiver, _, _ = secure
    names.append(["127.0.0.1"])
    with pytest.raises(Unreachable) as caught:
        send(f"https://other.example:{receiver.port}/")
    assert caught.value.reason == "certificate"
    assert receiver.requests == []


def test_a_certificate_that_nobody_vouches_for_is_not_taken(secure: Any, names: list[list[str]]) -> None:
    receiver, _, _ = secure
    names.append(["127.0.0.1"])
    with pytest.raises(Unreachable) as caught:
        send(f"https://hooks.example:{receiver.port}/")
    assert caught.value.reason == "certificate"
    assert receiver.requests == []
