"""The sample application, called in this process or served by a real gunicorn."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator

from tests.e2e.service import free_port, until
from tests.web.sample import build
from thetool.web.problems import ProblemDetails

ROOT = Path(__file__).parents[2]


@pytest.fixture
def make_api(tmp_path: Path) -> Callable[..., APIFlask]:
    """Makes the sample application with other settings."""

    def make(**settings: Any) -> APIFlask:
        return build(THETOOL_HOME=tmp_path / "home", **settings)

    return make


@pytest.fixture
def api(make_api: Callable[..., APIFlask]) -> FlaskClient:
    """A caller of the sample application."""
    return make_api().test_client()


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The sample application on a real gunicorn, away from this project's configuration of it."""
    folder = tmp_path_factory.mktemp("web")
    number = free_port()
    options = ["-b", f"127.0.0.1:{number}", "--threads", "8", "--no-control-socket", "--log-level", "warning"]
    command = [sys.executable, "-m", "gunicorn", *options]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ENV_FILE": os.devnull}
    process = subprocess.Popen([*command, "tests.web.sample:build()"], cwd=folder, env=environment)
    try:
        until(lambda: _answers(number), "gunicorn answers")
        yield number
    finally:
        process.terminate()
        process.wait(30)


def _answers(number: int) -> bool:
    connection = HTTPConnection("127.0.0.1", number, timeout=10)
    try:
        connection.request("GET", "/openapi.json")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def problem_of(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check that the answer is a whole problem document, as the OpenAPI document says; gives its body."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    body = response.json
    OAS31Validator(ProblemDetails.model_json_schema()).validate(body)
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"/docs/problems#{code}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    return dict(body)
