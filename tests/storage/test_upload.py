from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from apiflask import APIFlask
from flask.testing import FlaskClient

from tests.storage.conftest import only_postgres
from thetool.access.records import MASTER_OWNER_ID
from thetool.storage.blobs import read, store
from thetool.storage.health import probe
from thetool.storage.state import storage

Headers = dict[str, str]


class TestUpload:
    """`store_body`, behind a route."""

    pytestmark = only_postgres

    def test_limits(self, client: FlaskClient, master: Headers, left: Callable[[], Any]) -> None:
        answer = client.post("/small-upload", data=bytes(1001), headers=master)
        assert (answer.status_code, answer.json["code"]) == (413, "too_large")
        assert left() == (0, 0)
        assert client.post("/small-upload", data=bytes(1000), headers=master).json == {"size": 1000}

    def test_the_keys_quota(self, client: FlaskClient, issue: Callable[..., Headers], left: Callable[[], Any]) -> None:
        key = issue(scopes=["read", "write"], storage_quota_bytes=1000)
        made = client.post("/upload", data=bytes(900), headers=key)
        answer = client.post("/upload", data=bytes(101), headers=key)
        assert (answer.status_code, answer.json["code"]) == (413, "storage_quota")
        assert left() == (1, 1)
        client.delete(f"/files/{made.json['id']}", headers=key)
        assert client.post("/upload", data=bytes(101), headers=key).status_code == 200


@only_postgres
def test_no_connection_is_held_between_pieces(app: APIFlask, context: object, query: Callable[..., Any]) -> None:
    blob = store(bytes(3 << 20), owner_id=MASTER_OWNER_ID, media_type="text/plain")
    pieces = read(blob.id)
    next(pieces)
    ((busy,),) = query(
        "select count(*) from pg_stat_activity "
        "where datname = current_database() and backend_type = 'client backend'"  # not a vacuum of Postgres's own
        " and state <> 'idle' and pid <> pg_backend_pid()"
    )
    assert busy == 0
    assert storage().engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_health(app: APIFlask, context: object, place: str, owner: UUID) -> None:
    store(bytes(100), owner_id=owner, media_type="text/plain")
    assert probe() == {
        "place": place,
        "database_bytes": 100 if place == "postgres" else 0,
        "database_limit_bytes": 10 << 30,
    }
