"""The whole application with a runner in this process, the real models, and callers of two owners."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from thetool.app import create_app
from thetool.config import Settings
from thetool.jobs.runner import Runner

Send = Callable[..., TestResponse]


@pytest.fixture
def settings(settings: Settings, weights_dir: Path) -> Settings:
    """With weights, without limits that many quick requests would meet."""
    return settings.model_copy(
        update={"weights_dir": weights_dir, "rate_limit_enabled": False, "analyze_wait_seconds": 30.0}
    )


@pytest.fixture
def running_app(app: Flask, settings: Settings) -> Iterator[Flask]:
    """The application, and a runner that does its jobs."""
    runner = Runner(settings)
    runner.start()
    yield app
    runner.close()


@pytest.fixture
def run_app(settings: Settings) -> Iterator[Callable[..., FlaskClient]]:
    """Make an application with other settings, and a runner for it."""
    runners: list[Runner] = []

    def run(*, work: bool = True, **changes: Any) -> FlaskClient:
        changed = settings.model_copy(update=changes)
        client = create_app(changed).test_client()
        if work:
            runners.append(Runner(changed))
            runners[-1].start()
        return client

    yield run
    for runner in runners:
        runner.close()


@pytest.fixture
def send(running_app: Flask, master: dict[str, str]) -> Send:
    """POST /analyze with the master key."""
    return sender(running_app.test_client(), master)


def sender(client: FlaskClient, key: dict[str, str]) -> Send:
    """POST /analyze as `client`, with a key."""

    def send(text: str | None = None, *, path: str = "/analyze", headers: Any = None, **arguments: Any) -> TestResponse:
        if text is not None:
            arguments["json"] = {"text": text, **arguments.pop("options", {})}
        return client.post(path, headers={**key, **(headers or {})}, **arguments)

    return send


@pytest.fixture
def issue_key(client: FlaskClient, master: dict[str, str]) -> Callable[..., dict[str, str]]:
    """Issue a key of an owner, and give its headers."""

    def issue(owner: str, **wanted: Any) -> dict[str, str]:
        answer = client.post("/api/v1/keys", json={"name": owner, "owner": owner, **wanted}, headers=master)
        assert answer.status_code == 201, answer.json
        return {"Authorization": f"Bearer {answer.json['key']}"}

    return issue


