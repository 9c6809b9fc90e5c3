"""The whole application with a runner in this process, and what tests of models ask of it."""

from __future__ import annotations

import io
from contextlib import closing
from typing import Any

import psycopg2
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from thetool.app import create_app
from thetool.config import Settings
from thetool.jobs.runner import Runner
from thetool.serving.state import EXTENSION, Serving


class House:
    """One application and its runner."""

    def __init__(self, settings: Settings, *, work: bool = True) -> None:
        self.settings = settings
        assert settings.master_api_key
        self.master = {"Authorization": f"Bearer {settings.master_api_key.get_secret_value()}"}
        self.app = create_app(settings)
        self.client: FlaskClient = self.app.test_client()
        self.runner = Runner(settings) if work else None
        if self.runner is not None:
            self.runner.start()

    @property
    def serving(self) -> Serving:
        """What the application keeps of models."""
        found: Serving = self.app.extensions[EXTENSION]
        return found

    def close(self) -> None:
        """Stop the runner, and let go of the database."""
        if self.runner is not None:
            self.runner.close()
        self.serving.close()
        with self.app.app_context():
            from thetool.database.orm import db

            db.engine.dispose()

    def call(self, method: str, path: str, key: dict[str, str] | None = None, **rest: Any) -> TestResponse:
        """A request."""
        headers = {**(self.master if key is None else key), **rest.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **rest)

    def get(self, path: str, key: dict[str, str] | None = None, **rest: Any) -> TestResponse:
        """GET a path."""
        return self.call("GET", path, key, **rest)

    def post(self, path: str, body: Any = None, key: dict[str, str] | None = None, **rest: Any) -> TestResponse:
        """POST JSON, unless `rest` has another body."""
        return self.call("POST", path, key, **({"json": body} if body is not None else {}), **rest)

    def make(self, name: str, version: str = "1.0.0", key: dict[str, str] | None = None, **more: Any) -> str:
        """Make a model; gives its id."""
        answer = self.post("/api/v1/models", {"name": name, "version": version, **more}, key)
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])

    def upload(self, model_id: str, data: bytes, key: dict[str, str] | None = None) -> TestResponse:
        """Send a file as a form does."""
        form = {"file": (io.BytesIO(data), "model.onnx")}
        return self.post(f"/api/v1/models/{model_id}/upload", key=key, data=form)

    def validate(self, model_id: str, key: dict[str, str] | None = None) -> dict[str, Any]:
        """Validate it; gives the answer."""
        answer = self.post(f"/api/v1/models/{model_id}/validate?wait=60", key=key)
        assert answer.status_code == 200, answer.json
        found: dict[str, Any] = answer.json
        return found

    def add(
        self, name: str, data: bytes, version: str = "1.0.0", key: dict[str, str] | None = None, **more: Any
    ) -> str:
        """Make a model, send its file, validate it; gives its id."""
        model_id = self.make(name, version, key, **more)
        answer = self.upload(model_id, data, key)
        assert answer.status_code == 200, answer.json
        validated = self.validate(model_id, key)
        assert validated["valid"], validated
        return model_id

    def issue_key(self, owner: str, **wanted: Any) -> dict[str, str]:
        """Issue a key of an owner, and give its headers."""
        answer = self.post("/api/v1/keys", {"name": owner, "owner": owner, **wanted})
        assert answer.status_code == 201, answer.json
        return {"Authorization": f"Bearer {answer.json['key']}"}

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """What a statement gives, on a connection of its own."""
        with closing(psycopg2.connect(str(self.settings.database_url))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []


def refused(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem, when it is that one and whole."""
    assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)
    problem: dict[str, Any] = answer.json
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["title"]
    assert problem["detail"]
    return problem
