"""Every error status is one problem document, whoever raised it, and tells nothing of our insides."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.web.conftest import problem_of
from tests.web.sample import SECRET
from thetool.web.problems import MAX_REPORTED_ERRORS, Problem, all_problems


def test_unknown_path(api: FlaskClient) -> None:
    problem_of(api.get("/nowhere"), 404, "not_found")


def test_a_rooms_not_found_says_what(api: FlaskClient) -> None:
    body = problem_of(api.get("/items/00000000-0000-7000-8000-000000000001"), 404, "not_found")
    assert "no item 00000000" in body["detail"]


def test_a_malformed_id_is_not_found(api: FlaskClient) -> None:
    problem_of(api.get("/items/1%27%20or%201=1"), 404, "not_found")


def test_unknown_method_names_the_allowed(api: FlaskClient) -> None:
    response = api.delete("/orders")
    problem_of(response, 405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


def test_own_problem_keeps_headers_and_extra_members_but_not_their_lies(api: FlaskClient) -> None:
    response = api.get("/wrong/own")
    body = problem_of(response, 429, "queue_full")
    assert body["depth"] == 10
    assert body["detail"] == "10 wait"
    assert response.headers["Retry-After"] == "3"


@pytest.mark.parametrize("kind", ["unexpected", "statement", "recursion", "memory"])
def test_unexpected_error_tells_nothing(api: FlaskClient, kind: str) -> None:
    response = api.get(f"/wrong/{kind}")
    problem_of(response, 500, "internal_error")
    assert SECRET not in response.text
    assert "Traceback" not in response.text


def test_unexpected_error_is_logged_with_traceback_and_request_id(
    api: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        api.get("/wrong/unexpected", headers={"X-Request-ID": "find-me"})
    record = next(record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.exc_info is not None or "exc_info" in str(record.msg)
    assert "find-me" in str(record.msg)


def test_database_away_is_503_at_once(api: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        response = api.get("/wrong/database")
    problem_of(response, 503, "database_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert not [record for record in caplog.records if record.levelno > logging.WARNING]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad_request"), (403, "forbidden"), (406, "not_acceptable"), (409, "conflict"), (413, "too_large")]
    + [(415, "unsupported_media_type"), (422, "validation_error"), (429, "rate_limited"), (423, "http_423")],
)
def test_aborted_by_a_library(api: FlaskClient, status: int, code: str) -> None:
    assert problem_of(api.get(f"/aborted/{status}"), status, code)["detail"] == "said so"


def test_a_status_without_a_problem_of_its_own(api: FlaskClient) -> None:
    problem_of(api.get("/wrong/teapot"), 418, "http_418")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"{'name': 1}", b'{"name": NaN}', b"\xff\xfe", b'{"name": "\\ud800"}', b"[" * 100_00, b'{"a":' * 3000],
    ids=["empty", "cut off", "single quotes", "NaN", "not UTF-8", "lone surrogate", "deep arrays", "deep objects"],
)
def test_unreadable_json(api: FlaskClient, body: bytes) -> None:
    problem = problem_of(api.post("/orders", data=body, content_type="application/json"), 422, "validation_error")
    assert problem["errors"][0]["location"] == "body"


def test_wrong_fields_are_named(api: FlaskClient) -> None:
    problem = problem_of(api.post("/orders", json={"name": "", "count": "x", "extra": 1}), 422, "validation_error")
    assert {(error["field"], error["location"]) for error in problem["errors"]} == {
        ("name", "body"),
        ("count", "body"),
        ("extra", "body"),
    }
    assert {error["message"] for error in problem["errors"]} == {
        "must not be empty",
        "must be a whole number",
        "is not known here; there are: name, count",
    }
    assert problem["detail"].endswith("(and 2 more)")


def test_a_slip_of_the_pen_is_answered_with_the_name_that_there_is(api: FlaskClient) -> None:
    problem = problem_of(api.get("/items?limits=3"), 422, "validation_error")
    assert problem["detail"] == "limits: is not known here; did you mean limit? There are: limit, cursor"


@pytest.mark.parametrize("body", [[], "text", 1, None, True])
def test_json_of_another_shape(api: FlaskClient, body: object) -> None:
    response = api.post("/orders", data=json.dumps(body), content_type="application/json")
    problem_of(response, 422, "validation_error")


NUL = "\0"


@pytest.mark.parametrize("body", [{"name": f"a{NUL}b"}, {f"a{NUL}": 1}, {"name": [{"deep": NUL}]}, NUL])
def test_json_with_a_character_that_postgres_cannot_keep(api: FlaskClient, body: object) -> None:
    problem = problem_of(api.post("/orders", json=body), 422, "validation_error")
    assert "U+0000" in problem["detail"]


def test_deep_json_with_that_character(api: FlaskClient) -> None:
    body = "[" * 1000 + '"\\u0000"' + "]" * 1000
    problem = problem_of(api.post("/orders", data=body, content_type="application/json"), 422, "validation_error")
    assert "U+0000" in problem["detail"]


def test_the_words_for_that_character_are_just_words(api: FlaskClient) -> None:
    assert api.post("/orders", json={"name": "\\u0000"}).json["name"] == "\\u0000"


def test_query_and_form_with_that_character(api: FlaskClient) -> None:
    problem_of(api.get("/items?cursor=%00"), 422, "validation_error")
    problem_of(api.post("/form", data={"a": NUL}), 422, "validation_error")
    problem_of(api.post("/form", data={"a": NUL}, content_type="multipart/form-data"), 422, "validation_error")


def test_many_wrong_fields_make_a_short_answer(api: FlaskClient) -> None:
    problem = problem_of(api.post("/orders", json={f"f{number}": 1 for number in range(500)}), 422, "validation_error")
    assert len(problem["errors"]) == MAX_REPORTED_ERRORS


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "image/png", ""])
def test_json_must_be_declared(api: FlaskClient, media_type: str) -> None:
    response = api.post("/orders", data=b'{"name": "a"}', content_type=media_type)
    problem_of(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "application/merge-patch+json"])
def test_json_under_its_other_names(api: FlaskClient, media_type: str) -> None:
    assert api.post("/orders", data=b'{"name": "a"}', content_type=media_type).status_code == 201


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"nothing of the kind"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ncut off'),
        ("multipart/form-data; boundary=\xff", b"--x--\r\n"),
        ("application/x-www-form-urlencoded", b"a=\xff\xfe"),
    ],
    ids=["no boundary", "no parts", "cut off", "odd boundary", "not UTF-8"],
)
def test_broken_form(api: FlaskClient, content_type: str, body: bytes) -> None:
    problem = problem_of(api.post("/form", data=body, content_type=content_type), 422, "validation_error")
    assert problem["errors"][0]["location"] == "form"


def test_good_forms(api: FlaskClient) -> None:
    assert api.post("/form", data={"a": "1"}).json == {"fields": {"a": "1"}, "files": []}
    multipart = api.post("/form", data={"a": "1"}, content_type="multipart/form-data")
    assert multipart.json == {"fields": {"a": "1"}, "files": []}


def test_problem_after_the_view(make_api: Callable[..., APIFlask]) -> None:
    app = make_api()

    @app.after_request
    def fail(_: object) -> object:
        raise RuntimeError(SECRET)

    assert SECRET not in app.test_client().get("/who").text


def test_every_problem_is_explained(api: FlaskClient) -> None:
    page = api.get("/docs/problems")
    assert page.mimetype == "text/html"
    for problem in all_problems():
        assert f'id="{problem.code}"' in page.text
        assert problem.__doc__, f"{problem.__name__} says nothing of itself"


def test_problem_without_detail_says_its_title() -> None:
    assert Problem().body("id")["detail"] == Problem.title
