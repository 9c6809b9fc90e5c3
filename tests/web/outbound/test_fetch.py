"""Fetching a URL, whatever is behind it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.webhooks.receiver import misbehaving
from tests.web.outbound.certificates import certificate
from thetool.web.outbound import addresses
from thetool.web.outbound.call import trust
from thetool.web.outbound.fetch import MAX_REDIRECTS, Fetched, NotFetched, fetch
from thetool.web.problems import TooLarge, ValidationFailed

Serve = Callable[[socket.socket, threading.Event], None]
LIMIT = 1 << 20


def saying(*answers: bytes) -> Serve:
    """Answers one connection after the other, the last one for ever."""
    left = list(answers)

    def serve(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return serve


def http(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines, "", ""]).encode() + body


def get(port: int, path: str = "/cat.jpg", **options: Any) -> Fetched:
    return fetch(f"http://127.0.0.1:{port}{path}", **{"max_bytes": LIMIT, "seconds": 10, "private": True, **options})


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the resolver answers for a name, one after the other."""
    answers: dict[str, list[str]] = {}

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[host].pop(0), port))]

    monkeypatch.setattr(addresses, "getaddrinfo", getaddrinfo)
    return answers


def test_what_is_there_comes_with_its_type() -> None:
    with misbehaving(saying(http(b"\xff\xd8\xff", Content_Type="image/jpeg; charset=x"))) as port:
        found = get(port)
    assert (found.content, found.media_type, found.charset) == (b"\xff\xd8\xff", "image/jpeg", "x")


def test_chunks_and_bodies_without_a_length_are_read() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    for answer in (chunked, b"HTTP/1.1 200 OK\r\n\r\nabcde"):
        with misbehaving(saying(answer)) as port:
            assert get(port).content == b"abcde"


def test_redirects_are_followed_also_relative_ones() -> None:
    answers = [http(status="302 Found", Location="b?c#d"), http(status="308 Moved", Location="/e"), http(b"there")]
    with misbehaving(saying(*answers)) as port:
        found = get(port, "/a/x")
    assert (found.content, found.url) == (b"there", f"http://127.0.0.1:{port}/e")


def test_a_circle_of_redirects_ends() -> None:
    with misbehaving(saying(http(status="301 Moved", Location="/again"))) as port, pytest.raises(NotFetched) as caught:
        get(port)
    assert caught.value.reason == "redirect"
    assert str(MAX_REDIRECTS) in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://me:secret@example.com/",
        "https://example.com:22/",
        "",
    ],
)
def test_a_url_that_breaks_a_rule_is_refused(url: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        fetch(url, max_bytes=LIMIT)
    assert caught.value.errors
    assert caught.value.errors[0]["field"] == "url"
    if not url.startswith("https:"):
        assert caught.value.errors[0]["message"] == "must start with https://", "no more, no less"


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "[::1]", "2130706433", "169.254.169.254/latest/meta-data", "localhost", "a.localhost."]
)
def test_an_address_that_is_not_public_is_not_fetched(host: str) -> None:
    with pytest.raises(NotFetched) as caught:
        fetch(f"https://{host}/", max_bytes=LIMIT)
    assert caught.value.reason == "address"
    assert "only public addresses are fetched" in str(caught.value)


def test_a_name_that_stands_for_a_private_address_is_refused_without_telling_which(names: dict[str, list[str]]) -> None:
    names["inside.example"] = ["10.0.0.7"]
    with pytest.raises(NotFetched) as caught:
        fetch("https://inside.example/", max_bytes=LIMIT)
    assert caught.value.reason == "address"
    assert "10.0.0.7" not in str(caught.value)


@pytest.fixture
def public(
    names: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[bytes], Any]]:
    """Makes a TLS server for public.example, at an address of this machine that counts as public for the test."""
    certified, key = certificate(tmp_path, "public.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certified))
    trust.cache_clear()
    refuses = addresses.why_refused
    monkeypatch.setattr(
        addresses,
        "why_refused",
        lambda address, *, private: None if str(address) == "127.0.0.9" else refuses(address, private=private),
    )
    names["public.example"] = ["127.0.0.9"] * 9

    def serving(answer: bytes) -> Any:
        def serve(connection: socket.socket, over: threading.Event) -> None:
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(65_536)
                secure.sendall(answer)

        return misbehaving(serve, host="127.0.0.9")

    yield serving
    trust.cache_clear()


def test_over_tls_from_an_address_that_counts_as_public(public: Callable[[bytes], Any]) -> None:
    with public(http(b"there")) as port:
        assert fetch(f"https://public.example:{port}/", max_bytes=LIMIT).content == b"there"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("https://127.0.0.1/", "redirect"),
        ("https://169.254.169.254/latest/meta-data/", "redirect"),
        ("http://public.example/", "redirect"),
        ("file:///etc/passwd", "redirect"),
        ("https://inside.example/", "address"),
    ],
)
def test_a_redirect_to_where_nothing_is_fetched(
    public: Callable[[bytes], Any], names: dict[str, list[str]], location: str, reason: str
) -> None:
    names["inside.example"] = ["192.168.1.1"]
    with public(http(status="302 Found", Location=location)) as port, pytest.raises(NotFetched) as caught:
        fetch(f"https://public.example:{port}/", max_bytes=LIMIT)
    assert caught.value.reason == reason


def test_a_name_that_stands_for_another_address_a_moment_later(
    public: Callable[[bytes], Any], names: dict[str, list[str]]
) -> None:
    """The next hop is looked up and checked anew (DNS rebinding)."""
    names["public.example"] = ["127.0.0.9", "127.0.0.1"]
    with public(http(status="302 Found", Location="/again")) as port, pytest.raises(NotFetched) as caught:
        fetch(f"https://public.example:{port}/", max_bytes=LIMIT)
    assert caught.value.reason == "address"
    assert names["public.example"] == []


@pytest.mark.parametrize(
    "answer",
    [http(b"x" * (LIMIT + 1)), b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"],
    ids=["sent", "announced"],
)
def test_too_much_is_left(answer: bytes) -> None:
    with misbehaving(saying(answer)) as port, pytest.raises(TooLarge):
        get(port)


def pouring(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
    while not over.is_set():
        connection.sendall(b"x" * 65_536)


def dripping(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
    while not over.wait(0.05):
        connection.sendall(b"x")


def test_a_stream_without_an_end_is_left_at_the_limit() -> None:
    with misbehaving(pouring) as port, pytest.raises(TooLarge):
        get(port)


@pytest.mark.parametrize("serve", [dripping, lambda connection, over: over.wait(60)], ids=["dripping", "silent"])
def test_what_does_not_come_to_an_end_is_cut_off(serve: Serve) -> None:
    began = time.monotonic()
    with misbehaving(serve) as port, pytest.raises(NotFetched) as caught:
        get(port, seconds=0.5)
    assert caught.value.reason == "timeout"
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (http(b"gone", status="404 Not Found"), "status"),
        (http(b"", status="302 Found"), "status"),
        (http(b"\x1f\x8b", Content_Encoding="gzip"), "encoding"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "unreachable"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "unreachable"),
    ],
    ids=["404", "redirect to nowhere", "packed", "cut short", "another protocol"],
)
def test_other_answers_are_told(answer: bytes, reason: str) -> None:
    with misbehaving(saying(answer)) as port, pytest.raises(NotFetched) as caught:
        get(port)
    assert (caught.value.status, caught.value.reason) == (422, reason)
