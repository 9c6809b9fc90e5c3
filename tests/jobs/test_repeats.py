from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIBlueprint
from flask import Flask, request
from flask.testing import FlaskClient

from tests.jobs.sample_jobs import Params
from thetool.access.caller import current_caller, needs
from thetool.app import create_app
from thetool.config import Settings
from thetool.jobs.repeats import repeatable, request_idempotency
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit

blueprint = APIBlueprint("repeats", __name__)


@blueprint.post("/sample/<name>")
@needs("write")
@repeatable
def make_sample(name: str) -> dict[str, Any]:
    """Make a job."""
    params = Params(text=request.get_data(as_text=True))
    made = submit("sample.noop", params, owner_id=current_caller().owner_id, idempotency=request_idempotency())
    return {"id": made.job_id}


@pytest.fixture
def app(runner: Runner, job_settings: Settings) -> Flask:
    app = create_app(job_settings)
    app.register_blueprint(blueprint)
    return app


@pytest.fixture
def post(client: FlaskClient, master: dict[str, str]) -> Any:
    def send(path: str, data: str, key: str | None = "k") -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        return client.post(f"/sample/{path}", data=data, headers={**master, **headers})

    return send


def test_the_same_request_gets_the_first_job_and_says_so(post: Any) -> None:
    first, again, other = post("a", "x"), post("a", "x"), post("a", "x", "another")
    assert again.json == first.json != other.json
    assert [answer.headers.get("Idempotent-Replayed") for answer in (first, again, other)] == [None, "true", None]


def test_without_a_key_each_request_makes_a_job(post: Any) -> None:
    assert post("a", "x", None).json != post("a", "x", None).json


@pytest.mark.parametrize(("path", "data"), [("b", "x"), ("a?n=1", "x"), ("a", "y")])
def test_another_request_with_the_key_is_a_conflict(post: Any, path: str, data: str) -> None:
    post("a", "x")
    answer = post(path, data)
    assert (answer.status_code, answer.json["code"]) == (409, "idempotency_conflict")


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 256])
def test_what_is_no_key_is_refused(post: Any, key: str) -> None:
    answer = post("a", "x", key)
    assert (answer.status_code, answer.json["errors"][0]["location"]) == (422, "header")


def test_the_document_tells_of_the_header(app: Flask) -> None:
    with app.app_context():
        operation = app.spec["paths"]["/sample/{name}"]["post"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["name", "Idempotency-Key"]
    assert "idempotency_conflict" in operation["responses"]["409"]["description"]
