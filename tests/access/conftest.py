"""An application of the rooms up to access, with views that need this and that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from apiflask import APIFlask
from flask import request
from flask.testing import FlaskClient

from tests.conftest import migrated_database
from thetool.access import routes, setup
from thetool.access.caller import current_caller, needs
from thetool.access.records import MASTER_OWNER_ID
from thetool.access.sign_in import session_caller, sign_in, sign_out
from thetool.config import Settings
from thetool.database import connection
from thetool.database.orm import db
from thetool.web.api import create_api


def build(settings: Settings) -> APIFlask:
    app = create_api(settings)
    connection.init_app(app, settings)
    setup.init_app(app, settings)
    app.register_blueprint(routes.blueprint)

    @app.get("/open")
    def open_to_all() -> dict[str, Any]:
        return {"open": True}

    @app.get("/read")
    @needs("read")
    def read() -> dict[str, Any]:
        return {"owner_id": str(current_caller().owner_id)}

    @app.post("/write")
    @needs("write")
    def write() -> dict[str, Any]:
        return {"owner_id": str(current_caller().owner_id)}

    @app.route("/socket", websocket=True)
    @needs("read")
    def socket() -> dict[str, Any]:
        return {}

    @app.get("/who")
    def who() -> dict[str, Any]:
        caller = session_caller()
        return {"name": caller.name if caller else None}

    @app.post("/sign-in")
    def enter() -> Any:
        response = app.make_response({})
        sign_in(response, request.form["key"])
        return response

    @app.post("/sign-out")
    def leave() -> Any:
        response = app.make_response({})
        sign_out(response)
        return response

    @app.get("/api/v1/jobs")
    @app.get("/files/1")
    @app.get("/health/detailed")
    @needs("read")
    def free_with_a_key() -> dict[str, Any]:
        return {}

    @app.get("/health")
    def health() -> dict[str, Any]:
        return {}

    return app


@pytest.fixture(scope="module")
def database_of_module(postgres_url: str) -> Iterator[str]:
    with migrated_database(postgres_url) as url:
        yield url


@pytest.fixture
def database(database_of_module: str) -> Iterator[str]:
    """A database as if fresh: these tests are many and small, and fill four tables."""
    yield database_of_module
    with closing(psycopg2.connect(database_of_module)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("delete from api_keys; delete from rate_limits; delete from webhook_secrets")
        cursor.execute("delete from owners where id <> %s", (str(MASTER_OWNER_ID),))


@pytest.fixture
def app(settings: Settings) -> Iterator[APIFlask]:
    app = build(settings)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def issue(client: FlaskClient, master: dict[str, str]) -> Callable[..., dict[str, Any]]:
    """Issues a key by the master key; gives the answer's body."""

    def issue(name: str = "a key", **values: Any) -> dict[str, Any]:
        answer = client.post("/api/v1/keys", json={"name": name, **values}, headers=master)
        assert answer.status_code == 201, answer.text
        return answer.json

    return issue


def bearer(key: str | dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key if isinstance(key, str) else key['key']}"}
