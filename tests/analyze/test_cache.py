"""The cache: counted, switched off, forgotten in time, right between processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.analyze.house import MASTER, House
from thetool.analyze.retention import sweep
from thetool.database.orm import db
from thetool.storage import blobs

TEXT = "I love this sofa, but the delivery was late."
LONG = "The delivery was late and nobody answered. " * 2_000


def metrics(house: House) -> dict[str, Any]:
    found: dict[str, Any] = house.get("/api/v1/cache/metrics").json["analysis_cache"]
    return found


def test_hits_and_misses_are_counted_and_reset(make_house: Callable[..., House]) -> None:
    house = make_house()
    assert metrics(house)["hit_rate_percent"] is None
    for _ in range(4):
        house.analyze(TEXT, tasks=["language"])
    assert metrics(house) == {
        "hits": 3, "misses": 1, "total_requests": 4, "hit_rate_percent": 75.0, "enabled": True, "ttl_seconds": 3600,
    }  # fmt: skip
    assert house.client.post("/api/v1/cache/metrics/reset", headers=MASTER).json == {"status": "reset"}
    assert metrics(house)["total_requests"] == 0
    assert house.analyze(TEXT, tasks=["language"]).json["cached"] is True


def test_the_counts_reach_the_table_by_themselves_and_health_tells_the_rate(make_house: Callable[..., House]) -> None:
    house = make_house()
    for _ in range(2):
        house.analyze(TEXT, tasks=["language"])
    until = time.monotonic() + 30
    while house.rows("select hits, misses from cache_counts where name = 'analyses'") != [(1, 1)]:
        assert time.monotonic() < until
        time.sleep(0.05)
    until = time.monotonic() + 30
    while (told := house.get("/health").json["cache"])["hit_rate"] != 0.5:
        assert time.monotonic() < until, told
        time.sleep(0.1)
    assert told == {"enabled": True, "hit_rate": 0.5, "hits": 1, "misses": 1}


def test_counts_survive_a_database_that_is_away(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house()
    counter = house.app.extensions["thetool_analyze"].counter
    engine = counter._engine

    class Away:
        def begin(self) -> None:
            raise OSError("away")

    counter._engine = Away()
    counter.count(hit=True)
    counter.flush()
    counter._engine = engine
    assert (counter.read().hits, counter.read().misses) == (1, 0)


def test_reading_needs_a_key_and_resetting_an_admin(house: House) -> None:
    assert house.client.get("/api/v1/cache/metrics").status_code == 401
    reader = house.issue_key("reader", scopes=["read"])
    assert house.get("/api/v1/cache/metrics", reader).status_code == 200
    assert house.client.post("/api/v1/cache/metrics/reset", headers=reader).status_code == 403


def test_switched_off_it_is_neither_asked_nor_counted(make_house: Callable[..., House]) -> None:
    house = make_house(cache_enabled=False)
    first, second = (house.analyze(TEXT, tasks=["language"]) for _ in range(2))
    assert (first.json["cached"], second.json["cached"], second.headers["X-Cache"]) == (False, False, "MISS")
    assert metrics(house)["total_requests"] == 0
    assert metrics(house)["enabled"] is False


def test_an_analysis_is_given_again_only_while_it_is_young(make_house: Callable[..., House]) -> None:
    house = make_house(cache_ttl=60)
    first = house.analyze(TEXT, tasks=["language"]).json
    house.rows("update analyses set created_at = now() - interval '61 seconds'")
    assert house.analyze(TEXT, tasks=["language"]).json["cached"] is False
    assert house.get(f"/api/v1/analyses/{first['id']}").status_code == 200


def test_another_process_has_the_same_cache(make_house: Callable[..., House]) -> None:
    first = make_house().analyze(TEXT, tasks=["language"]).json
    other = make_house(work=False)
    assert other.analyze(TEXT, tasks=["language"]).json == {**first, "cached": True}


def test_what_is_over_is_swept(make_house: Callable[..., House]) -> None:
    house = make_house(work=False)
    owner = house.rows("select id from owners")[0][0]
    for number, lives in enumerate(("-1 hour", "1 hour", "-1 second")):
        house.rows(
            "insert into analyses (id, owner_id, cache_key, kind, result, expires_at)"
            " values (gen_random_uuid(), %s, %s, 'text', '{}', now() + %s::interval)",
            str(owner), bytes([number]), lives,
        )  # fmt: skip
    with house.app.app_context():
        assert sweep(db.engine) == 2
        assert sweep(db.engine) == 0
    assert house.rows("select count(*) from analyses") == [(1,)]


@pytest.mark.parametrize("how", ["cancelled while it waited", "deleted", "waiting"])
def test_the_text_of_a_job_that_ended_otherwise_is_swept(make_house: Callable[..., House], how: str) -> None:
    house = make_house(work=False)
    house.rows(
        "insert into workers (id, host, pid, version, kinds, devices, slots)"
        " values (gen_random_uuid(), 'elsewhere', 1, '1', array['analyze.long_text'], '{}', 1)"
    )
    job = house.analyze(LONG, wait=0).json["id"]
    if how != "waiting":
        house.client.post(f"/api/v1/jobs/{job}/cancel", headers=MASTER)
    if how == "deleted":
        assert house.client.delete(f"/api/v1/jobs/{job}", headers=MASTER).status_code == 204
    with house.app.app_context():
        assert sweep(db.engine) == 0  # it may be that its job is about to come
        house.rows("update blobs set created_at = now() - interval '6 minutes'")
        assert sweep(db.engine) == (0 if how == "waiting" else 1)
        assert blobs.get(house.rows("select id from blobs")[0][0]).size == len(LONG) if how == "waiting" else True


def test_a_cancelled_long_text_stops_at_once(make_house: Callable[..., House]) -> None:
    house = make_house()
    words = " ".join(f"Number {number} was late and nobody answered." for number in range(60_000))
    job = house.analyze(words, wait=0, tasks=["topics"]).json["id"]
    until = time.monotonic() + 60
    while not house.get(f"/api/v1/jobs/{job}").json["progress"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    house.client.post(f"/api/v1/jobs/{job}/cancel", headers=MASTER)
    assert house.get(f"/api/v1/jobs/{job}?wait=30").json["status"] == "cancelled"
    assert house.rows("select count(*) from analyses") == [(0,)]
