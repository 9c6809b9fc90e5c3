"""Bad input gets a clear problem, and nothing is lost or left behind: the table of the issue, row by row, and more."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.analyze.house import MASTER, House, refused
from thetool.analyze.tasks import names_for

TEXT = "I love this sofa, but the delivery was late."
PLAIN = {"Content-Type": "text/plain"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3"


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": b"", "headers": PLAIN},
        {"data": b"", "headers": {"Content-Type": "application/json"}},
        {"data": b"", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"data": b""},
        {"json": {"text": ""}},
        {"json": {"text": " \n\t\u3000"}},
        {"json": {"text": "\ufeff\u200b \u2060"}},
        {"data": b"  \n  ", "headers": PLAIN},
        {"data": b"\xef\xbb\xbf", "headers": PLAIN},
        {"data": {"text": "  "}},
        {"data": {"file": (io.BytesIO(b""), "empty.txt")}},
        {"data": {"tasks": "language"}},
    ],
)
def test_empty(house: House, arguments: dict[str, Any]) -> None:
    refused(house.analyze(**arguments), 422, "empty_input")


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": PNG, "headers": PLAIN},
        {"data": PNG, "headers": {"Content-Type": "application/pdf"}},
        {"data": PDF, "headers": {"Content-Type": "application/pdf"}},
        {"data": PDF, "headers": {"Content-Type": "image/png"}},
        {"data": PDF},
        {"data": b"PK\x03\x04" + bytes(30)},
        {"data": bytes(range(256)) * 8},
        {"data": b"some text\0and more"},
        {"data": TEXT, "headers": {"Content-Type": "image/png"}},
        {"data": TEXT, "headers": {"Content-Type": "application/pdf"}},
        {"data": TEXT, "headers": {"Content-Type": "video/mp4"}},
        {"data": {"file": (io.BytesIO(PDF), "photo.png")}},
        {"data": {"file": (io.BytesIO(TEXT.encode()), "photo.png", "image/png")}},
        {"data": '{"text": "a form?"}', "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ],
)
def test_of_no_kind_or_declared_as_something_else(house: House, arguments: dict[str, Any]) -> None:
    refused(house.analyze(**arguments), 415, "unsupported_media_type")


def test_what_is_not_taken_says_what_it_is_and_what_is_taken(house: House) -> None:
    problem = refused(house.analyze(data=PNG, headers=PLAIN), 415, "unsupported_media_type")
    assert problem["detail"].startswith("This is a PNG image, though it was sent as text/plain. Send an image (JPEG")
    assert (problem["found"], problem["accepted"]) == ("image/png", ["text", "image", "table"])
    undeclared = house.analyze(data=PDF, headers={"Content-Type": "application/octet-stream"})
    assert refused(undeclared, 415, "unsupported_media_type")["detail"].startswith("This is a PDF. ")


FORM = {"Content-Type": "application/x-www-form-urlencoded"}  # curl's, for each --data


@pytest.mark.parametrize(
    "body",
    [
        b"I love this sofa.",
        b"hello",
        b"The price = 5, and\nthe sofa = 3.",
        "Grüße aus Bath".encode(),
        b"x" * 200_000,
        b"if a == b && c == d: return",
    ],
    ids=["sentence", "word", "equations", "beyond ASCII", "long", "code"],
)
def test_a_text_that_is_declared_as_a_form_gets_a_hint_and_no_echo(house: House, body: bytes) -> None:
    answer = house.analyze(data=body, headers=FORM)
    problem = refused(answer, 415, "unsupported_media_type")
    assert "-H 'Content-Type: text/plain'" in problem["detail"]
    assert "-F file=@" in problem["detail"]
    assert body not in answer.data


@pytest.mark.parametrize(
    ("body", "hint"), [(b'{"text": "Gr\xc3\xbc\xc3\x9fe"}', "application/json"), (PDF, "This is a PDF. ")]
)
def test_what_else_is_declared_as_a_form(house: House, body: bytes, hint: str) -> None:
    assert hint in refused(house.analyze(data=body, headers=FORM), 415, "unsupported_media_type")["detail"]


def test_a_form_by_hand_is_read(house: House) -> None:
    answer = house.analyze(data=b"text=I love this sofa, by hand&tasks=statistics", headers=FORM)
    assert answer.json["result"]["statistics"]["words"] == 6


def test_a_long_name_of_a_field_is_cut_in_the_problem(house: House) -> None:
    answer = house.analyze(data=b"text=a&" + b"x" * 100_000 + b"=1", headers=FORM)
    refused(answer, 422, "validation_error")
    assert len(answer.data) < 2_000


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": b"Hello \xff\xfe\xfd world", "headers": PLAIN},
        {"data": "Grüße".encode()[:-2] + b"\xc3", "headers": PLAIN},
        {"data": b"caf\xe9", "headers": PLAIN},
        {"data": b"abc", "headers": {"Content-Type": "text/plain; charset=no-such"}},
        {"data": b"abc", "headers": {"Content-Type": "text/plain; charset=zip"}},
        {"data": b"caf\xe9", "headers": {"Content-Type": "text/plain; charset=utf-8"}},
        {"data": b"\xff\xfea", "headers": PLAIN},
        {"data": b"text=caf%e9", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": b"text=a%00b", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": {"text": "\ufffd", "file": (io.BytesIO(b""), "")}},
        {"data": {"file": (io.BytesIO(b"caf\xe9"), "menu.txt")}},
    ],
)
def test_undecodable(house: House, arguments: dict[str, Any]) -> None:
    refused(house.analyze(**arguments), 422, "undecodable_text")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, ""),
        ({"data": b'{"text": NaN}', "headers": {"Content-Type": "application/json"}}, ""),
        ({"data": b'{"text": "\\ud800"}', "headers": {"Content-Type": "application/json"}}, ""),
        ({"data": b'{"text": "\xff"}', "headers": {"Content-Type": "application/json"}}, ""),
        ({"data": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, ""),
        ({"json": {"text": "a\0b"}}, ""),
        ({"json": ["text"]}, ""),
        ({"json": {"tasks": ["language"]}}, "text"),
        ({"json": {"text": 5}}, "text"),
        ({"json": {"text": TEXT, "url": "https://example.com/"}}, "url"),
        ({"json": {"text": TEXT, "records": [{"a": 1}]}}, "records"),
        ({"json": {"records": []}}, "records"),
        ({"json": {"records": ["a"]}}, "records.0"),
        ({"json": {"url": "http://example.com/cat.jpg"}}, "url"),
        ({"json": {"url": "file:///etc/passwd"}}, "url"),
        ({"json": {"url": "cat.jpg"}}, "url"),
        ({"json": {"text": TEXT, "annotate": "perhaps"}}, "annotate"),
        ({"json": {"text": TEXT, "taks": ["language"]}}, "taks"),
        ({"json": {"text": TEXT, "wait": -1}}, "wait"),
        ({"json": {"text": TEXT, "wait": "soon"}}, "wait"),
        ({"json": {"text": TEXT, "wait": 300.5}}, "wait"),
        ({"data": {"text": TEXT, "wait": "301"}}, "wait"),
        ({"data": TEXT, "headers": PLAIN, "query": {"wait": "1000"}}, "wait"),
        ({"json": {"text": TEXT, "sentences": "perhaps"}}, "sentences"),
        ({"json": {"text": TEXT, "labels": {"a": "b"}}}, "labels.phrases.a"),
        ({"json": {"text": TEXT, "labels": [" "]}}, "labels.names.0"),
        ({"json": {"text": TEXT, "labels": [f"label {number}" for number in range(101)]}}, "labels"),
        ({"json": {"text": TEXT, "labels": {"a": ["b"] * 21}}}, "labels"),
        ({"data": {"text": TEXT, "labels": '["a"'}}, "labels"),
        ({"data": {"text": TEXT, "colour": "red"}}, "colour"),
        ({"data": {"text": TEXT, "file": (io.BytesIO(b"x"), "x.txt")}}, "text"),
        ({"data": {"photo": (io.BytesIO(b"x"), "x.txt")}}, "photo"),
        ({"data": b"--x\r\ncut off", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, ""),
        ({"data": TEXT, "headers": PLAIN, "query": {"colour": "red"}}, "colour"),
        ({"data": TEXT, "headers": PLAIN, "query": {"wait": "soon"}}, "wait"),
        ({"data": TEXT, "headers": {**PLAIN, "Idempotency-Key": "two words"}}, "Idempotency-Key"),
    ],
)
def test_invalid(house: House, arguments: dict[str, Any], field: str) -> None:
    problem = refused(house.analyze(**arguments), 422, "validation_error")
    assert problem["errors"][0]["field"] == field


@pytest.mark.parametrize("place", ["json", "query", "form"])
def test_an_unknown_task_is_answered_with_the_list(house: House, place: str) -> None:
    tasks = "language,horoscope"
    if place == "json":
        answer = house.analyze(TEXT, tasks=tasks.split(","))
    elif place == "query":
        answer = house.analyze(data=TEXT, headers=PLAIN, query={"tasks": tasks})
    else:
        answer = house.analyze(data={"text": TEXT, "tasks": tasks})
    problem = refused(answer, 422, "validation_error")
    assert problem["tasks"] == list(names_for("text"))
    assert "horoscope" in problem["detail"]


def test_the_wrong_method_and_path(house: House) -> None:
    refused(house.client.put("/analyze", headers=MASTER), 405, "method_not_allowed")
    refused(house.get("/analyze/other"), 404, "not_found")


def test_five_million_characters_are_a_job_and_never_cut(house: House) -> None:
    text = "The delivery was late and nobody answered. " * 116_280
    assert len(text) > 5_000_000
    answer = house.analyze(text, query={"wait": "0"})
    assert answer.status_code == 202
    job = house.get(f"{answer.headers['Location']}?wait=300").json
    assert job["status"] == "completed", job["error"]
    result = job["result"]["result"]
    assert result["statistics"]["characters"] == len(text)
    assert result["statistics"]["sentences"] == 116_280
    assert result["sentiment"]["sentences_used"] == result["topics"]["sentences_used"] == 116_280


@pytest.mark.slow
def test_five_million_characters_without_a_repetition_say_what_of_them_was_read(house: House) -> None:
    text = "\n".join(f"2026-11-21 10:00:00 INFO shop.orders: order {number} was paid" for number in range(90_000))
    job = house.get(f"{house.analyze(text, query={'wait': '0'}).headers['Location']}?wait=300").json
    assert job["status"] == "completed", job["error"]
    found = job["result"]
    assert found["result"]["statistics"]["sentences"] == 90_000
    assert "log" in next(one["reason"] for one in found["skipped"] if one["task"] == "sentiment")
    assert found["result"].get("topics", {"share_read": 0})["share_read"] < 0.1


def test_sentences_of_a_text_whose_result_could_not_be_stored(house: House) -> None:
    problem = refused(house.analyze("Good one. " * 200_001, sentences=True), 422, "validation_error")
    assert problem["errors"][0]["field"] == "sentences"


PATHS = ["/analyze", "/api/v1/jobs"]


def ask(house: House, path: str, key: dict[str, str]) -> TestResponse:
    return house.analyze(TEXT, key=key) if path == "/analyze" else house.get(path, key)


@pytest.mark.parametrize("path", PATHS)
def test_no_key(house: House, path: str) -> None:
    answer = ask(house, path, {})
    refused(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", ["wrong", "tt_" + "x" * 43, "Bearer", "ünïcode"])
def test_a_wrong_key(house: House, path: str, key: str) -> None:
    refused(ask(house, path, {"X-API-Key": key.encode().decode("latin-1")}), 401, "invalid_key")


@pytest.mark.parametrize("path", PATHS)
def test_an_expired_key(house: House, path: str) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    key = house.issue_key(f"expiring {path}", expires_at=soon.isoformat())
    until = time.monotonic() + 30
    while ask(house, path, key).status_code != 401:
        assert time.monotonic() < until
        time.sleep(0.2)
    refused(ask(house, path, key), 401, "invalid_key")


@pytest.mark.parametrize(("path", "scopes"), [("/analyze", ["read"]), ("/api/v1/jobs", ["write"])])
def test_a_key_without_the_scope(house: House, path: str, scopes: list[str]) -> None:
    refused(ask(house, path, house.issue_key(f"scoped {path}", scopes=scopes)), 403, "forbidden")


def test_another_owners_job(house: House) -> None:
    mine, theirs = house.issue_key("mine"), house.issue_key("theirs")
    job = house.analyze(f"{TEXT} Mine.", key=mine).json["id"]
    for path in (
        f"/api/v1/jobs/{job}",
        f"/api/v1/jobs/{job}/result",
        f"/api/v1/analyses/{job}",
        f"/api/v1/jobs/{uuid4()}",
    ):
        refused(house.get(f"/api/v1/{path}", theirs), 404, "not_found")
    refused(house.client.post(f"/api/v1/jobs/{job}/cancel", headers=theirs), 404, "not_found")
    assert house.get(f"/api/v1/jobs/{job}", mine).status_code == 200


def test_the_same_idempotency_key_with_another_body(house: House) -> None:
    key = {"Idempotency-Key": "one-request"}
    assert house.analyze(f"{TEXT} First.", headers=key).status_code == 200
    refused(house.analyze(f"{TEXT} Second.", headers=key), 409, "idempotency_conflict")
    refused(house.analyze(f"{TEXT} First.", headers=key, tasks=["language"]), 409, "idempotency_conflict")


def test_a_failed_job_is_a_clear_problem(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from thetool.analyze import jobs

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the detector broke")

    monkeypatch.setattr(jobs, "analyze_text", fail)
    problem = refused(house.analyze(f"{TEXT} Failing."), 500, "job_failed")
    assert "the detector broke" in problem["detail"]
    assert house.get(f"/api/v1/jobs/{problem['job_id']}").json["status"] == "failed"


@pytest.mark.parametrize("url", ["https://10.0.0.1/cat.jpg", "https://169.254.169.254/latest/meta-data/"])
def test_an_address_that_is_not_public_is_not_fetched(house: House, url: str) -> None:
    assert refused(house.analyze(json={"url": url}), 422, "not_fetched")["reason"] == "address"
