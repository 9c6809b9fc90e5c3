"""Sessions of browsers: what the cookie is, when it ends, and that other sites cannot use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.access.conftest import bearer, build
from tests.access.test_caller import assert_problem
from tests.conftest import MASTER_KEY
from thetool.access import session
from thetool.access.state import EXTENSION
from thetool.config import Settings

Issue = Callable[..., dict[str, Any]]
OURS = {"Sec-Fetch-Site": "same-origin"}


def sign_in(client: FlaskClient, key: str, **more: Any) -> Any:
    return client.post("/sign-in", data={"key": key}, headers=OURS, **more)


def cookie_of(client: FlaskClient) -> str:
    cookie = client.get_cookie(session.COOKIE)
    assert cookie is not None
    return cookie.value


def test_sign_in_and_out(client: FlaskClient, issue: Issue) -> None:
    key = issue("visitor")
    answer = sign_in(client, f" {key['key']}\n")
    assert answer.status_code == 200
    set_cookie = answer.headers["Set-Cookie"]
    for attribute in ("HttpOnly", "SameSite=Strict", "Max-Age=43200", "Path=/"):
        assert attribute in set_cookie
    assert "Secure" not in set_cookie
    assert key["key"] not in unquote(set_cookie)
    assert client.get("/who").json == {"name": "visitor"}
    assert client.get("/read").json == {"owner_id": key["owner_id"]}
    assert client.post("/sign-out", headers=OURS).status_code == 200
    assert client.get("/who").json == {"name": None}


def test_secure_on_https(client: FlaskClient, settings: Settings) -> None:
    assert "Secure" in sign_in(client, MASTER_KEY, base_url="https://localhost").headers["Set-Cookie"]
    public = build(settings.model_copy(update={"public_url": "https://tool.example.com"})).test_client()
    assert "Secure" in sign_in(public, MASTER_KEY).headers["Set-Cookie"]


def test_wrong_key(client: FlaskClient) -> None:
    answer = sign_in(client, "wrong")
    assert_problem(answer, 401, "invalid_key")
    assert "Set-Cookie" not in answer.headers


def test_revoked_key_ends_the_session(client: FlaskClient, issue: Issue, master: dict[str, str]) -> None:
    key = issue()
    sign_in(client, key["key"])
    assert client.get("/read").status_code == 200
    assert client.delete(f"/api/v1/keys/{key['id']}", headers=master).status_code == 204
    assert_problem(client.get("/read"), 401, "invalid_key")
    assert client.get("/who").json == {"name": None}


def test_session_is_good_after_a_redeploy_and_on_another_machine(client: FlaskClient, settings: Settings) -> None:
    sign_in(client, MASTER_KEY)
    elsewhere = build(settings).test_client()
    elsewhere.set_cookie(session.COOKIE, cookie_of(client))
    assert elsewhere.get("/who").json == {"name": "master"}


def test_another_master_key_ends_the_masters_sessions(settings: Settings) -> None:
    secret = {"SECRET_KEY": "s" * 40, "DATABASE_URL": settings.database_url, "THETOOL_HOME": settings.home}
    before = build(Settings(MASTER_API_KEY="before", **secret)).test_client()
    after = build(Settings(MASTER_API_KEY="after", **secret)).test_client()
    sign_in(before, "before")
    after.set_cookie(session.COOKIE, cookie_of(before))
    assert before.get("/who").json == {"name": "master"}
    assert after.get("/who").json == {"name": None}


def test_session_ends(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(client, MASTER_KEY)
    monkeypatch.setattr(session, "LIFETIME_SECONDS", -1)
    assert client.get("/who").json == {"name": None}


@pytest.mark.parametrize(
    "claim", [{"key": "master"}, {"key": "master", "mark": "x"}, {"key": "x"}, {"key": 5}, [], None]
)
def test_forged_claims(client: FlaskClient, app: APIFlask, claim: Any) -> None:
    """Even rightly signed, a claim must be one of ours."""
    client.set_cookie(session.COOKIE, app.extensions[EXTENSION].sessions.dumps(claim))
    assert_problem(client.get("/read"), 401, "unauthenticated")


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", "é", "x" * 3000])
def test_garbage_cookies(client: FlaskClient, cookie: str) -> None:
    client.set_cookie(session.COOKIE, cookie)
    assert_problem(client.get("/read"), 401, "unauthenticated")


def test_tampered_cookie(client: FlaskClient) -> None:
    sign_in(client, MASTER_KEY)
    cookie = cookie_of(client)
    client.set_cookie(session.COOKIE, cookie[:-2] + ("AA" if cookie[-2:] != "AA" else "BB"))
    assert_problem(client.get("/read"), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("proof", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Referer": "http://localhost/"}, 403),
        ({}, 403),
    ],
)
def test_other_sites_cannot_use_the_session(client: FlaskClient, proof: dict[str, str], status: int) -> None:
    sign_in(client, MASTER_KEY)
    answer = client.post("/write", headers=proof)
    assert answer.status_code == status
    if status == 403:
        assert_problem(answer, 403, "forbidden")
    assert client.post("/sign-in", data={"key": MASTER_KEY}, headers=proof).status_code == status
    assert client.post("/sign-out", headers=proof).status_code == status


def test_public_url_is_our_own_origin(settings: Settings) -> None:
    client = build(settings.model_copy(update={"public_url": "https://tool.example.com"})).test_client()
    sign_in(client, MASTER_KEY)
    assert client.post("/write", headers={"Origin": "https://tool.example.com"}).status_code == 200


def test_a_websocket_needs_the_proof_too(client: FlaskClient) -> None:
    sign_in(client, MASTER_KEY)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    assert client.get("/socket", headers={**upgrade, "Origin": "http://evil.example"}).status_code == 403
    assert client.get("/socket", headers={**upgrade, "Origin": "http://localhost"}).status_code == 200


def test_a_key_in_the_request_outranks_the_session(client: FlaskClient, issue: Issue) -> None:
    sign_in(client, MASTER_KEY)
    key = issue("program")
    assert client.get("/read", headers=bearer(key)).json == {"owner_id": key["owner_id"]}
    assert client.post("/write", headers=bearer(key)).status_code == 200, "a program need not prove an origin"
    assert_problem(client.get("/read", headers=bearer("wrong")), 401, "invalid_key")
