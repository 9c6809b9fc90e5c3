"""Keys in requests: which are taken, which are refused, and how that is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import text

from tests.access.conftest import bearer, build
from tests.conftest import MASTER_KEY
from thetool.access import lookup
from thetool.access.records import MASTER_OWNER_ID
from thetool.access.state import EXTENSION
from thetool.config import Settings
from thetool.database.orm import db

Issue = Callable[..., dict[str, Any]]


def assert_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert answer.json["code"] == code
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {MASTER_KEY}"},
        {"Authorization": f"bearer  {MASTER_KEY} "},
        {"X-API-Key": MASTER_KEY},
        {"X-API-Key": MASTER_KEY, "Authorization": f"Bearer {MASTER_KEY}"},
    ],
)
def test_master_key(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get("/read", headers=headers)
    assert answer.json == {"owner_id": str(MASTER_OWNER_ID)}


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Basic dXNlcjpwdw=="}, {"Authorization": "Bearer"}, {"X-API-Key": " "}]
)
def test_no_key(client: FlaskClient, headers: dict[str, str]) -> None:
    assert_problem(client.get("/read", headers=headers), 401, "unauthenticated")


@pytest.mark.parametrize(
    "key", ["wrong", "tt_" + "a" * 43, "tt_" + "é" * 43, "x" * 10_000, MASTER_KEY + "x", MASTER_KEY[:-1]]
)
def test_wrong_key(client: FlaskClient, key: str) -> None:
    assert_problem(client.get("/read", headers=bearer(key)), 401, "invalid_key")


def test_two_different_keys(client: FlaskClient, issue: Issue) -> None:
    answer = client.get("/read", headers={**bearer(MASTER_KEY), "X-API-Key": issue()["key"]})
    assert_problem(answer, 401, "invalid_key")


@pytest.mark.parametrize("name", ["api_key", "apikey", "X-API-Key", "access_token", "key"])
def test_key_in_the_query(client: FlaskClient, name: str) -> None:
    answer = client.get("/read", query_string={name: MASTER_KEY}, headers=bearer(MASTER_KEY))
    assert_problem(answer, 401, "unauthenticated")
    assert "address" in answer.json["detail"]
    assert MASTER_KEY not in answer.text


def test_issued_key_under_any_name_in_the_query(client: FlaskClient, issue: Issue) -> None:
    assert_problem(client.get("/read", query_string={"q": issue()["key"]}), 401, "unauthenticated")


def test_scopes(client: FlaskClient, issue: Issue) -> None:
    reader, writer = issue(scopes=["read"]), issue(scopes=["write"])
    assert client.get("/read", headers=bearer(reader)).json == {"owner_id": reader["owner_id"]}
    assert client.post("/write", headers=bearer(writer)).status_code == 200
    refused = client.post("/write", headers=bearer(reader))
    assert_problem(refused, 403, "forbidden")
    assert "`write`" in refused.json["detail"]
    assert_problem(client.get("/api/v1/keys", headers=bearer(writer)), 403, "forbidden")


def test_expired_key(client: FlaskClient, issue: Issue, app: APIFlask) -> None:
    key = issue(expires_at=(datetime.now(UTC) + timedelta(hours=1)).isoformat())
    assert client.get("/read", headers=bearer(key)).status_code == 200
    change(app, "update api_keys set expires_at = now() - interval '1 second'")
    app.extensions[EXTENSION].keys.forget()
    answer = client.get("/read", headers=bearer(key))
    assert_problem(answer, 401, "invalid_key")
    assert "expired" in answer.json["detail"]


def test_a_key_expires_while_it_is_remembered(client: FlaskClient, issue: Issue, app: APIFlask) -> None:
    key = issue(expires_at=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())
    deadline = time.monotonic() + 20
    while client.get("/read", headers=bearer(key)).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "expired" in client.get("/read", headers=bearer(key)).json["detail"]


def test_revocation_reaches_another_process_when_its_memory_is_old(
    client: FlaskClient, issue: Issue, settings: Settings, master: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = build(settings).test_client()  # an application of its own has a memory of its own, as another process has
    key = issue()
    assert other.get("/read", headers=bearer(key)).status_code == 200
    assert client.delete(f"/api/v1/keys/{key['id']}", headers=master).status_code == 204
    assert_problem(client.get("/read", headers=bearer(key)), 401, "invalid_key")
    assert other.get("/read", headers=bearer(key)).status_code == 200
    monkeypatch.setattr(lookup, "FRESH_SECONDS", 0.0)
    assert_problem(other.get("/read", headers=bearer(key)), 401, "invalid_key")


def test_keys_are_remembered(client: FlaskClient, issue: Issue, app: APIFlask) -> None:
    key = issue()
    assert client.get("/read", headers=bearer(key)).status_code == 200
    change(app, "update api_keys set revoked_at = now()")
    assert client.get("/read", headers=bearer(key)).status_code == 200, "asked the database again within the 5 seconds"


def test_unknown_keys_do_not_fill_the_memory(
    client: FlaskClient, app: APIFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = app.extensions[EXTENSION].keys
    monkeypatch.setattr(keys._unknown, "_most", 10)
    with app.app_context():
        for number in range(30):
            assert keys.by_hash(number.to_bytes(32)) is None
    assert len(keys._unknown._kept) == 10


def test_a_change_during_a_lookup_is_not_overwritten(
    app: APIFlask, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that read the old row just before a revocation must not put it back."""
    key = issue()
    keys = app.extensions[EXTENSION].keys
    read = lookup._read
    read_old, go_on = threading.Event(), threading.Event()

    def slow_read(statement: str, value: Any) -> Any:
        found = read(statement, value)
        read_old.set()
        assert go_on.wait(10)
        return found

    def look() -> None:
        with app.app_context():
            keys.by_id(key["id"])

    monkeypatch.setattr(lookup, "_read", slow_read)
    thread = threading.Thread(target=look)
    thread.start()
    assert read_old.wait(10)
    change(app, "update api_keys set revoked_at = now()")
    keys.forget()
    go_on.set()
    thread.join(10)
    with app.app_context():
        found = keys.by_id(key["id"])
    assert found is not None
    assert found.revoked


def test_last_use_is_written_once_a_minute(client: FlaskClient, issue: Issue, app: APIFlask) -> None:
    key = issue()

    def use() -> tuple[Any, ...]:
        app.extensions[EXTENSION].keys.forget()
        assert client.get("/read", headers=bearer(key)).status_code == 200
        [row] = change(app, "select last_used_at > now() - interval '1 minute', xmin::text from api_keys")
        return row

    first = use()
    assert first[0]
    assert use() == first, "written twice in a minute"
    change(app, "update api_keys set last_used_at = now() - interval '2 minutes'")
    later = use()
    assert later[0]
    assert later[1] != first[1]


def test_database_away(
    settings: Settings, issue: Issue, app: APIFlask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, unseen = issue(), issue()
    assert client.get("/read", headers=bearer(seen)).status_code == 200
    with app.app_context():
        db.engine.dispose()
        monkeypatch.setattr(db.engine.pool, "_creator", lambda *_: (_ for _ in ()).throw(_refused()))
        monkeypatch.setattr(lookup, "FRESH_SECONDS", 0.0)
    assert client.get("/read", headers=bearer(seen)).status_code == 200, "a key seen lately goes on working"
    assert client.get("/read", headers=bearer(MASTER_KEY)).status_code == 200
    answer = client.get("/read", headers=bearer(unseen))
    assert_problem(answer, 503, "database_unavailable")


def test_one_request_at_a_time_asks_a_database_that_was_away(
    issue: Issue, app: APIFlask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, unseen = issue(), issue()
    assert client.get("/read", headers=bearer(seen)).status_code == 200
    asked: list[object] = []
    inside: list[int] = []
    keys = app.extensions[EXTENSION].keys

    def hang(statement: str, value: object) -> None:
        asked.append(value)
        inside.append(client.get("/read", headers=bearer(seen)).status_code)  # while this request waits
        raise _refused()

    monkeypatch.setattr(lookup, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(lookup, "PATIENCE_SECONDS", 0.01)
    with monkeypatch.context() as away:
        away.setattr(lookup, "_read", hang)
        assert client.get("/read", headers=bearer(seen)).status_code == 200
        assert client.get("/read", headers=bearer(seen)).status_code == 200
        assert_problem(client.get("/read", headers=bearer(unseen)), 503, "database_unavailable")
        assert (len(asked), inside) == (1, [200]), "it was away a moment ago"
        keys._ask_again_at = time.monotonic()
        assert_problem(client.get("/read", headers=bearer(unseen)), 503, "database_unavailable")
        assert (len(asked), inside) == (2, [200, 200])
        keys._ask_again_at = time.monotonic()
    assert client.get("/read", headers=bearer(unseen)).status_code == 200
    assert client.get("/read", headers=bearer(issue("later"))).status_code == 200, "back, for every key"


def test_a_request_waits_for_the_answer_that_another_gets(
    issue: Issue, app: APIFlask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = issue()
    assert client.get("/read", headers=bearer(key)).status_code == 200
    with app.app_context():
        db.session.execute(text("update api_keys set revoked_at = now()"))  # in another process
        db.session.commit()
    answers: list[int] = []
    keys, read, wait = app.extensions[EXTENSION].keys, lookup._read, threading.Event.wait
    second = threading.Thread(target=lambda: answers.append(get()))
    second_waits = threading.Event()

    def get() -> int:
        return app.test_client().get("/read", headers=bearer(key)).status_code

    def slow(*arguments: Any) -> Any:
        if second.ident is None:
            second.start()
            assert wait(second_waits, 30)
        return read(*arguments)

    def noticed(event: threading.Event, timeout: float | None = None) -> bool:
        if event in keys._asking.values():
            second_waits.set()
        return wait(event, timeout)

    monkeypatch.setattr(lookup, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(lookup, "PATIENCE_SECONDS", 30.0)
    monkeypatch.setattr(lookup, "_read", slow)
    monkeypatch.setattr(lookup.Event, "wait", noticed)
    answers.append(get())
    second.join(30)
    assert answers == [401, 401]


def _refused() -> Exception:
    import psycopg2

    try:
        psycopg2.connect("postgresql://127.0.0.1:1/nothing", connect_timeout=1)
    except psycopg2.OperationalError as error:
        return error
    raise AssertionError("something listens on port 1")


def test_openapi_says_which_keys_are_taken(app: APIFlask) -> None:
    with app.test_request_context():
        spec = app.spec
    assert spec["paths"]["/read"]["get"]["security"] == [{"BearerAuth": []}, {"ApiKeyAuth": []}]
    assert spec["components"]["securitySchemes"]["ApiKeyAuth"]["name"] == "X-API-Key"
    assert "security" not in spec["paths"]["/open"]["get"]
    assert "401" in spec["paths"]["/read"]["get"]["responses"]


def change(app: APIFlask, statement: str) -> list[tuple[Any, ...]]:
    with app.app_context(), db.engine.begin() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []
