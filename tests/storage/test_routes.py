from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.storage.conftest import only_postgres
from tests.storage.upload_app import build
from thetool.access.records import MASTER_OWNER_ID
from thetool.config import Settings
from thetool.database.ids import new_id
from thetool.storage.blobs import Blob, store
from thetool.storage.links import signed_link

CONTENT = b"The quick brown fox jumps over the lazy dog."
Headers = dict[str, str]


@pytest.fixture
def keep(app: APIFlask) -> Callable[..., Blob]:
    """Stores content of the master's. The application is current only meanwhile: requests bring their own `g`."""

    def keep(content: bytes, media_type: str = "text/plain", filename: str | None = None) -> Blob:
        with app.app_context():
            return store(content, owner_id=MASTER_OWNER_ID, media_type=media_type, filename=filename)

    return keep


@pytest.fixture
def blob(keep: Callable[..., Blob]) -> Blob:
    return keep(CONTENT, filename="fox.txt")


@pytest.fixture
def link_to(app: APIFlask) -> Callable[[Blob, float], str]:
    """Signs a link."""

    def link_to(blob: Blob, seconds: float) -> str:
        with app.app_context():
            return signed_link(blob, seconds)

    return link_to


@pytest.fixture
def url(blob: Blob) -> str:
    return f"/files/{blob.id}"


def test_a_file_and_its_headers(client: FlaskClient, master: Headers, blob: Blob, url: str) -> None:
    answer = client.get(url, headers=master)
    assert (answer.status_code, answer.data) == (200, CONTENT)
    sent = answer.headers
    assert sent["Content-Type"] == "text/plain"
    assert sent["Content-Length"] == str(len(CONTENT))
    assert sent["Content-Disposition"] == 'inline; filename="fox.txt"'
    assert sent["ETag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert sent["Accept-Ranges"] == "bytes"
    assert sent.getlist("X-Content-Type-Options") == ["nosniff"]
    assert sent.getlist("Content-Security-Policy") == ["sandbox"]
    assert sent.getlist("Cache-Control") == ["private, no-cache"]


def test_head_says_the_same_without_the_content(client: FlaskClient, master: Headers, url: str) -> None:
    for extra in ({}, {"Accept-Encoding": "gzip"}, {"Range": "bytes=0-3"}):
        got, head = (method(url, headers={**master, **extra}) for method in (client.get, client.head))
        assert head.data == b""
        if "Range" not in extra:  # a range is defined for GET only
            assert dict(head.headers, **{"X-Request-ID": ""}) == dict(got.headers, **{"X-Request-ID": ""})


@only_postgres
@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("0-3", 0, 4), ("4-", 4, 44), ("-4", 40, 44), ("40-99", 40, 44), ("0-0", 0, 1), ("-99", 0, 44), ("43-43", 43, 44)],
)
def test_a_range(client: FlaskClient, master: Headers, url: str, asked: str, start: int, stop: int) -> None:
    answer = client.get(url, headers={**master, "Range": f"bytes={asked}"})
    assert (answer.status_code, answer.data) == (206, CONTENT[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/44"
    assert answer.headers["Content-Length"] == str(stop - start)


@only_postgres
@pytest.mark.parametrize(
    "header",
    [
        "bytes=0-1,3-4",
        "lines=0-1",
        "bytes=a-b",
        "bytes=3-1",
        "bytes",
        "",
        "bytes=--1",
        "bytes=-",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_what_is_no_single_range_gets_the_whole(client: FlaskClient, master: Headers, url: str, header: str) -> None:
    answer = client.get(url, headers={**master, "Range": header})
    assert (answer.status_code, answer.data) == (200, CONTENT)


@only_postgres
@pytest.mark.parametrize("asked", ["44-", "99-100", "-0", "9" * 18 + "-"])
def test_a_range_past_the_end(client: FlaskClient, master: Headers, url: str, asked: str) -> None:
    answer = client.get(url, headers={**master, "Range": f"bytes={asked}"})
    assert (answer.status_code, answer.json["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */44"


@only_postgres
def test_conditions(client: FlaskClient, master: Headers, url: str, blob: Blob) -> None:
    tag = f'"{blob.sha256}"'
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get(url, headers={**master, "If-None-Match": known})
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == tag
    assert client.get(url, headers={**master, "If-None-Match": '"other"'}).status_code == 200
    for condition, status in ((tag, 206), ('"other"', 200), (f"W/{tag}", 200), ("Wed, 21 Oct 2026 07:28:00 GMT", 200)):
        assert client.get(url, headers={**master, "Range": "bytes=0-1", "If-Range": condition}).status_code == status


@only_postgres
def test_an_empty_file(client: FlaskClient, master: Headers, keep: Callable[..., Blob]) -> None:
    blob = keep(b"")
    answer = client.get(f"/files/{blob.id}", headers=master)
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (200, b"", "0")
    assert client.get(f"/files/{blob.id}", headers={**master, "Range": "bytes=0-"}).status_code == 416


@only_postgres
@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("image/png", "inline"),
        ("text/plain; charset=utf-8", "inline"),
        ("text/html", "attachment"),
        ("image/svg+xml", "attachment"),
        ("application/pdf", "attachment"),
        ("nonsense\r\nX-Evil: 1", "attachment"),
    ],
)
def test_what_a_browser_may_show(
    client: FlaskClient, master: Headers, keep: Callable[..., Blob], media_type: str, kind: str
) -> None:
    blob = keep(CONTENT, media_type, 'a"\r\n.html')
    answer = client.get(f"/files/{blob.id}", headers=master)
    assert answer.headers["Content-Disposition"].startswith(f"{kind}; filename=")
    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert "X-Evil" not in answer.headers


class TestWhoMay:
    """A key of the owner, the master key, or a link."""

    pytestmark = only_postgres

    def test_keys(self, client: FlaskClient, master: Headers, issue: Callable[..., Headers]) -> None:
        mine, theirs = issue(scopes=["read", "write"]), issue(scopes=["read", "write"])
        made = client.post("/upload", data=CONTENT, headers=mine)
        assert made.status_code == 200, made.text
        url = f"/files/{made.json['id']}"
        assert client.get(url, headers=mine).data == CONTENT
        assert client.get(url, headers=master).data == CONTENT
        for answer in (client.get(url, headers=theirs), client.delete(url, headers=theirs)):
            assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        assert client.get(url).json["code"] == "unauthenticated"
        assert client.get(url, headers={"X-API-Key": "nonsense"}).json["code"] == "invalid_key"
        assert client.delete(url, headers=mine).status_code == 204
        assert client.get(url, headers=mine).status_code == 404

    def test_scopes(self, client: FlaskClient, issue: Callable[..., Headers], url: str) -> None:
        writes = issue(scopes=["write"])
        made = client.post("/upload", data=CONTENT, headers=writes)
        assert client.get(f"/files/{made.json['id']}", headers=writes).json["code"] == "forbidden"
        assert client.delete(url, headers=issue(scopes=["read"])).json["code"] == "forbidden"

    def test_what_is_no_file(self, client: FlaskClient, master: Headers) -> None:
        for path in (f"/files/{new_id()}", "/files/nonsense", "/files/"):
            assert client.get(path, headers=master).json["code"] == "not_found"

    def test_a_link_needs_no_key(self, client: FlaskClient, blob: Blob, link_to: Callable[..., str]) -> None:
        link = link_to(blob, 60)
        assert re.fullmatch(rf"/files/{blob.id}\?expires=\d+&signature=[\w-]{{43}}", link)
        assert client.get(link).data == CONTENT
        assert client.head(link).status_code == 200
        assert client.get(link, headers={"Range": "bytes=0-2"}).data == CONTENT[:3]
        assert client.delete(link).json["code"] == "unauthenticated"

    def test_an_expired_link(self, client: FlaskClient, blob: Blob, link_to: Callable[..., str]) -> None:
        answer = client.get(link_to(blob, -1))
        assert (answer.status_code, answer.json["code"]) == (403, "link_expired")

    def test_a_forged_link(self, client: FlaskClient, blob: Blob, link_to: Callable[..., str]) -> None:
        link = link_to(blob, 60)
        path, _, signature = link.rpartition("=")
        expires = re.search(r"expires=(\d+)", link)[1]  # type: ignore[index]
        forged = [
            f"{path}={'A' * 43}",
            f"{path}=",
            f"{path}={signature[:-1]}",
            f"{path}=%C3%A9%ff",
            link.replace(expires, str(int(expires) + 1)),
            link.replace(expires, f"{expires}%20"),
            link.replace(expires, "%D9%A1"),  # an Arabic digit
            link.replace(expires, "-1"),
            f"/files/{blob.id}?expires={expires}",
            f"/files/{blob.id}?signature={signature}",
            link.replace(str(blob.id), str(new_id())),
        ]
        for address in forged:
            answer = client.get(address)
            assert (answer.status_code, answer.json["code"]) == (403, "forbidden"), address

    def test_a_link_to_what_is_deleted(
        self, client: FlaskClient, master: Headers, blob: Blob, link_to: Callable[..., str]
    ) -> None:
        link = link_to(blob, 60)
        assert client.delete(f"/files/{blob.id}", headers=master).status_code == 204
        assert client.get(link).json["code"] == "not_found"

    def test_another_secret_makes_other_links(
        self, blob: Blob, link_to: Callable[..., str], values: dict[str, Any]
    ) -> None:
        link = link_to(blob, 60)
        other, same = (
            build(Settings(**{**values, **secret})) for secret in ({"SECRET_KEY": "another secret " * 4}, {})
        )
        assert other.test_client().get(link).json["code"] == "forbidden"
        assert same.test_client().get(link).data == CONTENT  # on another machine


class TestPublicUrl:
    """Links start with the address that callers use."""

    pytestmark = only_postgres

    @pytest.fixture
    def values(self, values: dict[str, Any]) -> dict[str, Any]:
        return values | {"PUBLIC_URL": "https://tool.example.com/"}

    def test_link(self, blob: Blob, link_to: Callable[..., str]) -> None:
        assert link_to(blob, 60).startswith(f"https://tool.example.com/files/{blob.id}?expires=")
