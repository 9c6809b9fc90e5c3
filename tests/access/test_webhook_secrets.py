"""The secrets that sign webhooks: shown once, derived, rotated with a day of grace."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from uuid import UUID

from apiflask import APIFlask
from flask.testing import FlaskClient
from pydantic import SecretStr

from tests.access.conftest import bearer
from tests.access.test_caller import assert_problem, change
from thetool.access import webhook_secrets
from thetool.config import Settings
from thetool.database.orm import db

Issue = Callable[..., dict[str, Any]]
CURRENT = "/api/v1/keys/current/webhook-secret"


def kept(app: APIFlask, key_id: str | None) -> list[Any]:
    """(salt, fingerprint, whether it retires) of a key's secrets, oldest first."""
    statement = db.text(
        "select salt, fingerprint, retires_at is not null from webhook_secrets"
        " where key_id is not distinct from cast(:key_id as uuid) order by id"
    )
    with app.app_context():
        return [tuple(row) for row in db.session.execute(statement, {"key_id": key_id})]


def secrets_of(app: APIFlask, settings: Settings, key_id: str | None) -> list[str]:
    found = webhook_secrets.recall(settings, [row[:2] for row in kept(app, key_id)])
    return ["whsec_" + base64.b64encode(secret).decode() for secret in found]


def test_the_master_key_makes_its_secret(
    client: FlaskClient, master: dict[str, str], app: APIFlask, settings: Settings
) -> None:
    answer = client.post(CURRENT, headers=master)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["key_id"] is None
    secret = answer.json["webhook_secret"]
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert secrets_of(app, settings, None) == [secret]


def test_an_issued_key_makes_its_own(
    client: FlaskClient, issue: Issue, app: APIFlask, settings: Settings, master: dict[str, str]
) -> None:
    key = issue()
    own = client.post(CURRENT, headers=bearer(key)).json
    assert own["key_id"] == key["id"]
    assert secrets_of(app, settings, key["id"]) == [own["webhook_secret"]]
    assert secrets_of(app, settings, None) == []
    assert_problem(client.post(CURRENT, headers=bearer(issue(scopes=["read"]))), 403, "forbidden")


def test_an_admin_makes_it_for_a_key_of_its_owner_only(
    client: FlaskClient, issue: Issue, app: APIFlask, settings: Settings, master: dict[str, str]
) -> None:
    key = issue(owner="acme")
    admin, strange = issue(owner="acme", scopes=["admin"]), issue(owner="other", scopes=["admin"])
    path = f"/api/v1/keys/{key['id']}/webhook-secret"
    assert_problem(client.post(path, headers=bearer(strange)), 404, "not_found")
    made = client.post(path, headers=bearer(admin))
    assert made.status_code == 201
    assert secrets_of(app, settings, key["id"]) == [made.json["webhook_secret"]]
    assert_problem(client.post(path, headers=bearer(key)), 403, "forbidden")
    assert client.post(path, headers=master).status_code == 201


def test_the_one_before_signs_along_for_a_day(
    client: FlaskClient, app: APIFlask, settings: Settings, master: dict[str, str]
) -> None:
    first, second = (client.post(CURRENT, headers=master).json["webhook_secret"] for _ in range(2))
    assert first != second
    assert secrets_of(app, settings, None) == [first, second]
    assert [retires for _, _, retires in kept(app, None)] == [True, False]
    change(app, "update webhook_secrets set retires_at = retires_at - interval '24 hours 1 second'")
    client.post(CURRENT, headers=master)
    assert first not in secrets_of(app, settings, None)


def test_five_sign_for_a_key_at_most(
    client: FlaskClient, app: APIFlask, settings: Settings, issue: Issue, master: dict[str, str]
) -> None:
    """Each is a signature in the header of each message: a caller that makes them in a loop must come to an end."""
    key = bearer(issue())
    made = [client.post(CURRENT, headers=key).json["webhook_secret"] for _ in range(webhook_secrets.MOST)]
    key_id = client.get("/api/v1/keys/current", headers=key).json["key_id"]
    refused = client.post(CURRENT, headers=key)
    assert_problem(refused, 429, "too_many_webhook_secrets")
    assert 86_000 < int(refused.headers["Retry-After"]) <= 86_400
    assert secrets_of(app, settings, key_id) == made
    assert client.post(CURRENT, headers=master).status_code == 201, "another key has room of its own"
    first = "(select min(id) from webhook_secrets)"
    change(app, f"update webhook_secrets set retires_at = now() - interval '1 second' where id = {first}")
    last = client.post(CURRENT, headers=key).json["webhook_secret"]
    assert secrets_of(app, settings, key_id) == [*made[1:], last]


def test_a_rotated_key_signs_as_before(
    client: FlaskClient, issue: Issue, app: APIFlask, settings: Settings, master: dict[str, str]
) -> None:
    key = issue()
    secret = client.post(CURRENT, headers=bearer(key)).json["webhook_secret"]
    new = client.post(f"/api/v1/keys/{key['id']}/rotate", headers=master).json
    assert UUID(new["id"]) != UUID(key["id"])
    assert secrets_of(app, settings, new["id"]) == [secret]


def test_the_database_alone_does_not_give_it_away(
    client: FlaskClient, app: APIFlask, settings: Settings, master: dict[str, str]
) -> None:
    secret = base64.b64decode(client.post(CURRENT, headers=master).json["webhook_secret"].removeprefix("whsec_"))
    ((salt, fingerprint, _),) = kept(app, None)
    assert secret not in (bytes(salt), bytes(fingerprint))
    changed = settings.model_copy(update={"secret_key": SecretStr("another-secret-key-of-some-length")})
    assert webhook_secrets.recall(changed, [(salt, fingerprint)]) == []
