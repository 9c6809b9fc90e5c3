"""What is answered in front of Flask looks like what Flask answers."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.web.conftest import problem_of
from thetool.telemetry import metrics
from thetool.web.json_provider import to_json
from thetool.web.shortcut import answer_early


@pytest.fixture
def make(make_api: Callable[..., APIFlask]) -> Callable[..., FlaskClient]:
    def make(**settings: Any) -> FlaskClient:
        app = make_api(**settings)

        @app.get("/quick")
        def quick() -> dict[str, Any]:
            return {"from": "flask"}

        answer_early(app, "/quick", lambda: to_json({"from": "front"}))
        return app.test_client()

    return make


def test_plain_get_is_answered_in_front(make: Callable[..., FlaskClient]) -> None:
    assert make().get("/quick").json == {"from": "front"}


def test_headers_are_those_of_flask(make: Callable[..., FlaskClient]) -> None:
    for settings, base_url in (
        ({}, "http://x"),
        ({"ENVIRONMENT": "production", "DATABASE_URL": "postgresql://x@y/z"}, "https://x"),
    ):
        client = make(**settings)
        front = client.get("/quick", base_url=base_url, headers={"X-Request-ID": "r1"})
        behind = client.get("/text/5", base_url=base_url, headers={"X-Request-ID": "r1"})
        assert {k: v for k, v in front.headers if k != "Content-Length"} == {
            k: v for k, v in behind.headers if k != "Content-Length"
        }
        assert front.content_length == len(front.data)


def test_evil_request_id_is_replaced(make: Callable[..., FlaskClient]) -> None:
    response = make().get("/quick", headers={"X-Request-ID": "<evil>"})
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-ID"])


def test_everything_else_is_flasks(make: Callable[..., FlaskClient]) -> None:
    client = make()
    assert client.get("/quick", headers={"Origin": "https://a.example"}).json == {"from": "flask"}
    assert client.head("/quick").status_code == 200
    problem_of(client.post("/quick"), 405, "method_not_allowed")
    problem_of(client.get("/quick/"), 404, "not_found")


def test_debug_lines_are_not_lost(make: Callable[..., FlaskClient], caplog: pytest.LogCaptureFixture) -> None:
    client = make()
    with caplog.at_level(logging.DEBUG, "thetool.request"):
        assert client.get("/quick").json == {"from": "flask"}


def test_an_answer_that_fails_is_flasks_to_explain(make_api: Callable[..., APIFlask]) -> None:
    app = make_api()

    def fail() -> bytes:
        raise RuntimeError

    answer_early(app, "/wrong/unexpected", fail)
    problem_of(app.test_client().get("/wrong/unexpected"), 500, "internal_error")


def test_it_is_counted(make: Callable[..., FlaskClient]) -> None:
    client = make()
    client.get("/quick")
    assert 'http_requests_total{method="GET",route="/quick",status="200"}' in metrics.exposition().decode()
