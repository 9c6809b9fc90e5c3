"""`/api/v1/keys`: issuing, listing, rotating, revoking, and what an issued key may give away."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.access.conftest import bearer
from tests.access.test_caller import assert_problem, change
from thetool.access.records import MASTER_OWNER_ID

Issue = Callable[..., dict[str, Any]]
KEYS = "/api/v1/keys"


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def test_issue_and_show(client: FlaskClient, master: dict[str, str], app: APIFlask) -> None:
    wanted = {
        "name": "reports",
        "owner": "acme",
        "scopes": ["write", "read", "read"],
        "rate_limit_per_minute": 5,
        "job_quota": 0,
        "storage_quota_bytes": 10**12,
        "expires_at": in_hours(1),
    }
    answer = client.post(KEYS, json=wanted, headers=master)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    issued = answer.json
    assert re.fullmatch(r"tt_[A-Za-z0-9_-]{43}", issued["key"])
    assert issued["key"].startswith(issued["key_prefix"])
    assert issued["scopes"] == ["read", "write"]
    shown = client.get(answer.headers["Location"], headers=master).json
    assert shown == {name: value for name, value in issued.items() if name != "key"}
    assert shown["owner"] == "acme"
    assert shown["storage_quota_bytes"] == 10**12
    stored = change(app, "select * from api_keys")
    assert issued["key"] not in str(stored), "the secret itself is kept"


def test_owners(issue: Issue) -> None:
    first, second, alone = issue(owner="acme"), issue(owner="acme"), issue("lonely")
    assert first["owner_id"] == second["owner_id"]
    assert alone["owner"] == "lonely"
    assert alone["owner_id"] not in {first["owner_id"], str(MASTER_OWNER_ID)}
    assert issue(owner="master")["owner_id"] == str(MASTER_OWNER_ID)


def test_many_at_once_make_one_owner(app: APIFlask, master: dict[str, str]) -> None:
    answers: list[Any] = []

    def issue() -> None:
        answers.append(app.test_client().post(KEYS, json={"name": "same"}, headers=master).json)

    threads = [threading.Thread(target=issue) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len({answer["owner_id"] for answer in answers}) == 1
    assert len({answer["key"] for answer in answers}) == 8


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "bell\a"}, "name"),
        ({"name": "line\nbreak"}, "name"),
        ({"name": "line\u2028break"}, "name"),
        ({"name": "gpj.\u202eexe"}, "name"),
        ({}, "name"),
        ({"name": "a", "scopes": []}, "scopes"),
        ({"name": "a", "scopes": ["everything"]}, "scopes"),
        ({"name": "a", "rate_limit_per_minute": 0}, "rate_limit_per_minute"),
        ({"name": "a", "storage_quota_bytes": 2**63}, "storage_quota_bytes"),
        ({"name": "a", "job_quota": 2**31}, "job_quota"),
        ({"name": "a", "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "a", "expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"name": "a", "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"name": "a", "expires_at": "0001-01-01T00:00:00+12:00"}, "expires_at"),
        ({"name": "a", "rate_limit_per_minute": True}, "rate_limit_per_minute"),
        ({"name": "a", "job_quota": "5"}, "job_quota"),
        ({"name": "a", "storage_quota_bytes": 5.0}, "storage_quota_bytes"),
        ({"name": "a", "expires_at": True}, "expires_at"),
        ({"name": "a", "expires_at": 4_000_000_000}, "expires_at"),
        ({"name": "a", "colour": "red"}, "colour"),
    ],
)
def test_wrong_input(client: FlaskClient, master: dict[str, str], wrong: dict[str, Any], field: str) -> None:
    answer = client.post(KEYS, json=wrong, headers=master)
    assert_problem(answer, 422, "validation_error")
    assert answer.json["errors"][0]["field"].startswith(field)


def test_list_in_pages(client: FlaskClient, master: dict[str, str], issue: Issue) -> None:
    issued = [issue(f"key {number}", owner="acme" if number % 2 else "other")["id"] for number in range(5)]
    first = client.get(KEYS, query_string={"limit": 3}, headers=master).json
    assert [item["id"] for item in first["items"]] == issued[:1:-1]
    assert "key_hash" not in first["items"][0]
    assert "key" not in first["items"][0]
    second = client.get(first["next"], headers=master).json
    assert [item["id"] for item in second["items"]] == issued[1::-1]
    assert second["next"] is None
    of_acme = client.get(KEYS, query_string={"owner": "acme"}, headers=master).json["items"]
    assert {item["owner"] for item in of_acme} == {"acme"}


def test_revoke(client: FlaskClient, master: dict[str, str], issue: Issue) -> None:
    key = issue()
    assert client.get("/read", headers=bearer(key)).status_code == 200
    for _ in range(2):
        answer = client.delete(f"{KEYS}/{key['id']}", headers=master)
        assert (answer.status_code, answer.data) == (204, b"")
    assert_problem(client.get("/read", headers=bearer(key)), 401, "invalid_key")
    assert client.get(KEYS, headers=master).json["items"] == []
    [listed] = client.get(KEYS, query_string={"revoked": "true"}, headers=master).json["items"]
    assert listed["revoked_at"] is not None
    assert_problem(client.delete(f"{KEYS}/{uuid4()}", headers=master), 404, "not_found")


def test_rotate(client: FlaskClient, master: dict[str, str], issue: Issue) -> None:
    old = issue("reports", owner="acme", scopes=["read"], rate_limit_per_minute=7, expires_at=in_hours(1))
    answer = client.post(f"{KEYS}/{old['id']}/rotate", headers=master)
    assert answer.status_code == 201
    new = answer.json
    kept = ("name", "owner", "owner_id", "scopes", "rate_limit_per_minute", "expires_at")
    assert {name: new[name] for name in kept} == {name: old[name] for name in kept}
    assert new["key"] != old["key"]
    assert client.get("/read", headers=bearer(new)).status_code == 200
    assert_problem(client.get("/read", headers=bearer(old)), 401, "invalid_key")
    assert_problem(client.post(f"{KEYS}/{old['id']}/rotate", headers=master), 409, "conflict")


def test_rotate_with_grace(client: FlaskClient, master: dict[str, str], issue: Issue, app: APIFlask) -> None:
    old = issue()
    new = client.post(f"{KEYS}/{old['id']}/rotate?grace_seconds=60", headers=master).json
    for key in (old, new):
        assert client.get("/read", headers=bearer(key)).status_code == 200
    ends = change(app, f"select expires_at - now() <= interval '60 seconds' from api_keys where id = '{old['id']}'")
    assert ends == [(True,)]
    assert (new["expires_at"], new["replaced_by"]) == (None, None)
    listed = client.get(f"{KEYS}/{old['id']}", headers=master).json
    assert listed["replaced_by"] == new["id"]


def test_rotations_at_once_give_one_new_key(app: APIFlask, master: dict[str, str], issue: Issue) -> None:
    old = issue()
    statuses: list[int] = []

    def rotate() -> None:
        statuses.append(app.test_client().post(f"{KEYS}/{old['id']}/rotate", headers=master).status_code)

    threads = [threading.Thread(target=rotate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses) == [201, 409, 409, 409]


def test_an_admin_key_manages_its_own_owner_only(client: FlaskClient, issue: Issue) -> None:
    admin = issue("admin", owner="acme", scopes=["read", "write", "admin"])
    other = issue("other")
    headers = bearer(admin)
    mine = client.post(KEYS, json={"name": "mine"}, headers=headers)
    assert mine.status_code == 201
    assert mine.json["owner"] == "acme"
    assert client.post(KEYS, json={"name": "mine", "owner": "acme"}, headers=headers).status_code == 201
    assert_problem(client.post(KEYS, json={"name": "x", "owner": "other"}, headers=headers), 403, "forbidden")
    assert {item["owner"] for item in client.get(KEYS, headers=headers).json["items"]} == {"acme"}
    assert_problem(client.get(f"{KEYS}/{other['id']}", headers=headers), 404, "not_found")
    assert_problem(client.delete(f"{KEYS}/{other['id']}", headers=headers), 404, "not_found")
    assert_problem(client.post(f"{KEYS}/{other['id']}/rotate", headers=headers), 404, "not_found")
    assert client.delete(f"{KEYS}/{mine.json['id']}", headers=headers).status_code == 204


@pytest.mark.parametrize(
    "more",
    [
        {"scopes": ["read", "write", "admin"]},
        {"rate_limit_per_minute": 11},
        {"job_quota": 3},
        {"storage_quota_bytes": 101},
        {"expires_at": in_hours(2)},
    ],
)
def test_an_admin_key_gives_no_more_than_it_has(client: FlaskClient, issue: Issue, more: dict[str, Any]) -> None:
    bounds = {"rate_limit_per_minute": 10, "job_quota": 2, "storage_quota_bytes": 100, "expires_at": in_hours(1)}
    admin = issue("admin", owner="acme", scopes=["admin", "read"], **bounds)
    refused = client.post(KEYS, json={"name": "x", "scopes": ["read"], **more}, headers=bearer(admin))
    assert_problem(refused, 403, "forbidden")
    greater = issue("greater", owner="acme", **{"scopes": ["read"], **bounds, **more})
    assert_problem(client.post(f"{KEYS}/{greater['id']}/rotate", headers=bearer(admin)), 403, "forbidden")


def test_an_admin_key_passes_its_bounds_on(client: FlaskClient, issue: Issue) -> None:
    admin = issue("admin", scopes=["admin", "read"], rate_limit_per_minute=10, job_quota=2, expires_at=in_hours(1))
    child = client.post(KEYS, json={"name": "x", "scopes": ["read"]}, headers=bearer(admin)).json
    for name in ("rate_limit_per_minute", "job_quota", "storage_quota_bytes", "expires_at"):
        assert child[name] == admin[name]


def test_current(client: FlaskClient, master: dict[str, str], issue: Issue) -> None:
    key = issue("mine", scopes=["write"], job_quota=3)
    seen = client.get(f"{KEYS}/current", headers=bearer(key)).json
    assert (seen["key_id"], seen["name"], seen["owner"]) == (key["id"], "mine", "mine")
    assert (seen["scopes"], seen["job_quota"], seen["is_master"]) == (["write"], 3, False)
    assert client.get(f"{KEYS}/current", headers=master).json["is_master"] is True
    assert_problem(client.get(f"{KEYS}/current"), 401, "unauthenticated")
