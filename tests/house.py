"""The whole application on a database of its own, with a runner in this process: what tests of several rooms ask."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from thetool.app import create_app
from thetool.config import Settings
from thetool.jobs.runner import Runner


class House:
    """One application; its runner works unless `work` is false."""

    def __init__(self, settings: Settings, *, work: bool = True) -> None:
        self.settings = settings
        assert settings.master_api_key
        self.master = {"Authorization": f"Bearer {settings.master_api_key.get_secret_value()}"}
        self.app = create_app(settings)
        self.client: FlaskClient = self.app.test_client()
        self.runner = Runner(settings) if work else None
        if self.runner is not None:
            self.runner.start()

    def close(self) -> None:
        """Stop the runner, and let go of the database."""
        if self.runner is not None:
            self.runner.close()
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
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return problem
