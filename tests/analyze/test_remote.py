"""{"url": …}: what is somewhere else, fetched and analyzed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.analyze.house import House, refused
from tests.analyze.test_analyze import ok
from tests.analyze.test_photos import picture, saved
from tests.jobs.webhooks.receiver import misbehaving
from thetool.analyze import remote

HOUSE = {"FETCH_ALLOW_PRIVATE": True, "MAX_UPLOAD_BYTES": 100_000}


class Place:
    """A server that answers each request with `answer`, and counts them."""

    def __init__(self) -> None:
        self.answer = b""
        self.asked = 0
        self.url = ""

    def serve(self, connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        self.asked += 1
        connection.sendall(self.answer)

    def holds(self, content: bytes, media_type: str = "application/octet-stream", status: str = "200 OK") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nContent-Type: {media_type}\r\n\r\n"
        self.answer = head.encode() + content


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    with misbehaving(place.serve) as port:
        place.url = f"http://127.0.0.1:{port}/some/cat%20one.jpg?size=1"
        yield place


def ask(house: House, place: Place, **rest: Any) -> Any:
    return house.analyze(json={"url": place.url, "tasks": ["info", "statistics"]}, **rest)


def test_a_photo_and_a_text(house: House, place: Place) -> None:
    place.holds(saved(picture(1)), "image/png")
    body = ok(ask(house, place))
    assert (body["kind"], body["result"]["info"]["format"]) == ("image", "JPEG")
    assert house.get(f"/api/v1/jobs/{body['id']}").json["title"] == "cat one.jpg"
    place.holds("Grüße aus Bath, spät.".encode("iso-8859-1"), "text/plain; charset=iso-8859-1")
    assert ok(ask(house, place))["result"]["statistics"]["characters"] == 21


def test_what_is_there_now_counts_and_not_the_address(house: House, place: Place) -> None:
    place.holds(saved(picture(2)))
    first = ok(ask(house, place))
    assert ok(ask(house, place))["cached"]
    place.holds(saved(picture(3)))
    assert ok(ask(house, place))["id"] != first["id"]


def test_a_repeated_request_does_not_fetch_again(house: House, place: Place) -> None:
    place.holds(saved(picture(4)))
    key = {"Idempotency-Key": "fetch-once"}
    first = ok(ask(house, place, headers=key))
    place.holds(b"gone", status="404 Not Found")
    assert ok(ask(house, place, headers=key))["id"] == first["id"]
    assert place.asked == 1


@pytest.mark.parametrize(
    ("content", "status", "code", "answered"),
    [
        (b"gone", "404 Not Found", "not_fetched", 422),
        (b"", "200 OK", "empty_input", 422),
        (b"%PDF-1.7\n\xe2\xe3", "200 OK", "unsupported_media_type", 415),
        (b"x" * 100_001, "200 OK", "too_large", 413),
    ],
    ids=["gone", "empty", "a PDF", "too large"],
)
def test_what_is_no_use_is_told(
    house: House, place: Place, content: bytes, status: str, code: str, answered: int
) -> None:
    place.holds(content, status=status)
    count = "select (select count(*) from jobs) + (select count(*) from blobs)"
    before = house.rows(count)
    refused(ask(house, place), answered, code)
    assert house.rows(count) == before


def test_a_few_are_fetched_at_a_time(house: House, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.holds(b"A text.")
    monkeypatch.setattr(remote, "_places", threading.BoundedSemaphore(1))
    with remote._places:
        answer = ask(house, place)
        refused(answer, 503, "fetching_busy")
        assert answer.headers["Retry-After"]
    assert ok(ask(house, place))["kind"] == "text"
