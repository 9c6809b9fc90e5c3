"""Rate limits: who is limited, how it is said, that processes share them, and that they never stand in the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from tests.access.conftest import bearer, build
from tests.access.test_caller import assert_problem, change
from tests.conftest import MASTER_KEY
from tests.redis_server import redis_server
from thetool.access import lookup
from thetool.access.limit_storage import TAKES_BETWEEN_SWEEPS, Bucket, PostgresStorage, RedisBucketStorage
from thetool.access.limits import network_of
from thetool.config import Settings, SettingsError

Issue = Callable[..., dict[str, Any]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"rate_limit_per_minute": 6, "rate_limit_burst": 3})


def statuses(client: FlaskClient, times: int, path: str = "/open", **more: Any) -> list[int]:
    return [client.get(path, **more).status_code for _ in range(times)]


def test_an_address_without_a_key(client: FlaskClient) -> None:
    answer = client.get("/open")
    assert answer.status_code == 200
    headers = {name: answer.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")}
    assert headers == {"Limit": "3", "Remaining": "2", "Reset": "10"}
    assert answer.headers["RateLimit-Policy"] == "6;w=60;burst=3"
    assert "Retry-After" not in answer.headers
    assert statuses(client, 2) == [200, 200]
    for _ in range(2):  # the second is refused out of memory
        refused = client.get("/open")
        assert_problem(refused, 429, "rate_limited")
        assert 1 <= int(refused.headers["Retry-After"]) <= 10
        assert refused.headers["RateLimit-Remaining"] == "0"
        assert "6 requests a minute" in refused.json["detail"]
    other = client.get("/open", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert other.status_code == 200


def test_failed_attempts_use_up_the_address(client: FlaskClient) -> None:
    wrong = [client.get("/read", headers=bearer(f"wrong {number}")).status_code for number in range(5)]
    assert wrong == [401, 401, 401, 429, 429]
    attempt = client.post("/sign-in", data={"key": "wrong"}, headers={"Sec-Fetch-Site": "same-origin"})
    assert_problem(attempt, 429, "rate_limited")


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/files/1", "/health/detailed"])
def test_a_wrong_key_is_free_nowhere(client: FlaskClient, path: str) -> None:
    assert statuses(client, 4, path, headers=bearer("wrong")) == [401, 401, 401, 429]
    assert statuses(client, 1, "/health", headers=bearer("wrong")) == [200], "open to all, so the key does not matter"


def test_wrong_keys_of_a_refused_address_are_not_looked_up(
    client: FlaskClient, issue: Issue, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, new = issue(), issue()
    assert statuses(client, 1, "/read", headers=bearer(known)) == [200]
    asked: list[object] = []
    read = lookup._read
    monkeypatch.setattr(lookup, "_read", lambda statement, value: asked.append(value) or read(statement, value))
    wrong = [client.get("/read", headers=bearer(f"tt_{number:043}")).status_code for number in range(9)]
    assert wrong == [401] * 3 + [429] * 6
    assert len(asked) == 4, "the one that found the bucket empty was looked up too"
    assert statuses(client, 1, "/read", headers=bearer(known)) == [200], "a key that was seen here goes on"
    assert statuses(client, 1, "/read", headers=bearer(new)) == [429]
    assert statuses(client, 1, "/read", headers=bearer(new), environ_base={"REMOTE_ADDR": "192.0.2.7"}) == [200]
    assert statuses(client, 1, "/health", headers=bearer("tt_" + "0" * 43)) == [200]
    assert statuses(client, 1, "/read", headers=bearer(MASTER_KEY)) == [200]


def test_each_key_has_its_own(client: FlaskClient, issue: Issue) -> None:
    first, second, wide = issue(), issue(), issue(rate_limit_per_minute=20)
    assert statuses(client, 4, "/read", headers=bearer(first)) == [200, 200, 200, 429]
    assert statuses(client, 1, "/read", headers=bearer(second)) == [200]
    assert statuses(client, 11, "/read", headers=bearer(wide)) == [200] * 10 + [429]
    assert statuses(client, 1) == [200], "the address is not charged for its keys"


def test_another_process_counts_the_same(client: FlaskClient, issue: Issue, settings: Settings) -> None:
    key = issue()
    other = build(settings).test_client()
    taken = [one.get("/read", headers=bearer(key)).status_code for one in (client, other, client, other)]
    assert taken == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/read", bearer(MASTER_KEY)),
        ("GET", "/health", {}),
        ("OPTIONS", "/open", {}),
        ("GET", "/api/v1/jobs", {}),
        ("GET", "/health/detailed", {}),
        ("GET", "/openapi.json", {}),
    ],
)
def test_free(client: FlaskClient, method: str, path: str, headers: dict[str, str]) -> None:
    for _ in range(6):
        answer = client.open(path, method=method, headers=headers)
        assert answer.status_code in {200, 401}
        assert "RateLimit-Limit" not in answer.headers


def test_refills_steadily(app: APIFlask, client: FlaskClient) -> None:
    assert statuses(client, 4) == [200, 200, 200, 429]
    # Ten seconds later, as the table has it; a neighbour of this process remembers no refusal.
    change(app, "update rate_limits set expires_at = expires_at - interval '10 seconds'")
    neighbour = build(app.config["THETOOL_SETTINGS"]).test_client()
    assert statuses(neighbour, 2) == [200, 429]


def test_switched_off(settings: Settings) -> None:
    client = build(settings.model_copy(update={"rate_limit_enabled": False})).test_client()
    assert statuses(client, 6) == [200] * 6


def test_never_in_the_way_when_its_storage_is_away(client: FlaskClient, app: APIFlask, issue: Issue) -> None:
    key = issue()
    change(app, "alter table rate_limits rename to away")
    try:
        with capture_logs() as logs:
            assert statuses(client, 6, "/read", headers=bearer(key)) == [200] * 6
    finally:
        change(app, "alter table away rename to rate_limits")
    warnings = [entry for entry in logs if "rate limits" in entry["event"]]
    assert len(warnings) == 1


def test_redis_away(settings: Settings) -> None:
    nowhere = Settings(**{**as_environment(settings), "REDIS_URL": "redis://127.0.0.1:1/0"})
    client = build(nowhere).test_client()
    assert statuses(client, 6) == [200] * 6
    ignored = Settings(**{**as_environment(settings), "REDIS_URL": "redis://127.0.0.1:1/0", "REDIS_ENABLED": False})
    assert statuses(build(ignored).test_client(), 4) == [200, 200, 200, 429]


def as_environment(settings: Settings) -> dict[str, Any]:
    return {
        "DATABASE_URL": settings.database_url,
        "THETOOL_HOME": settings.home,
        "MASTER_API_KEY": MASTER_KEY,
        "RATE_LIMIT_PER_MINUTE": 6,
        "RATE_LIMIT_BURST": 3,
    }


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::"),
        ("rubbish", "unknown"),
        (None, "unknown"),
    ],
)
def test_network_of(address: str | None, network: str) -> None:
    assert network_of(address) == network


@pytest.fixture(params=["postgres", "redis"])
def storage(request: pytest.FixtureRequest, app: APIFlask) -> Iterator[Any]:
    if request.param == "postgres":
        with app.app_context():
            yield PostgresStorage()
    else:
        redis = RedisBucketStorage(f"bucket+{request.getfixturevalue('redis_url')}")
        redis.reset()
        yield redis


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as (address, _):
        yield address


def test_bucket(storage: Any) -> None:
    def take(cost: int = 1) -> Bucket:
        return storage.take("a", interval=100.0, capacity=5, cost=cost)

    first = take()
    assert (first.allowed, first.remaining, round(first.full_in)) == (True, 4, 100)
    assert take(3).remaining == 1
    refused = take(2)
    assert not refused.allowed
    assert refused.next_in == pytest.approx(100, abs=30)
    level = storage.level("a", interval=100.0, capacity=5)
    assert (level.remaining, round(level.full_in / 100)) == (1, 4)
    assert take().allowed, "a refusal costs nothing"
    assert not take().allowed
    assert storage.level("b", interval=100.0, capacity=5).remaining == 5
    assert not storage.take("c", interval=1.0, capacity=5, cost=6).allowed


def test_bucket_under_many_threads(storage: Any, app: APIFlask) -> None:
    allowed: list[bool] = []

    def take() -> None:
        with app.app_context():
            for _ in range(5):
                allowed.append(storage.take("a", interval=1000.0, capacity=7, cost=1).allowed)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(allowed) == 40
    assert sum(allowed) == 7


def test_full_buckets_are_swept_away(app: APIFlask, database: str) -> None:
    storage = PostgresStorage()
    with app.app_context():
        for number in range(TAKES_BETWEEN_SWEEPS - 1):
            storage.take(f"caller {number}", interval=0.001, capacity=1, cost=1)
        time.sleep(0.01)
        storage.take("the last", interval=100.0, capacity=1, cost=1)
    connection = psycopg2.connect(database)
    with connection.cursor() as cursor:
        cursor.execute("select key from rate_limits")
        assert cursor.fetchall() == [("the last",)]
    connection.close()


def test_fixed_windows_of_the_library(app: APIFlask) -> None:
    """`limits` asks of a storage that it can count in fixed windows too."""
    storage = PostgresStorage()
    with app.app_context():
        assert [storage.incr("a", 60), storage.incr("a", 60, 2)] == [1, 3]
        assert storage.get("a") == 3
        assert storage.get_expiry("a") == pytest.approx(time.time() + 60, abs=20)
        change(app, "update rate_limits set expires_at = now() - interval '1 second'")
        assert storage.get("a") == 0
        assert storage.incr("a", 60) == 1
        storage.incr("b", 60)
        storage.clear("a")
        assert (storage.get("a"), storage.get("b")) == (0, 1)
        assert storage.reset() == 1
        assert storage.check()


def test_wrong_address_of_redis(settings: Settings) -> None:
    wrong = Settings(**{**as_environment(settings), "REDIS_URL": "http://secret@example.com"})
    with pytest.raises(SettingsError, match="REDIS_URL") as caught:
        build(wrong)
    assert "secret" not in str(caught.value)
