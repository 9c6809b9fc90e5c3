"""The cache that processes share: used where it pays, in Postgres or Redis, and never in the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import Engine, create_engine

from tests.conftest import MASTER_KEY, migrated_database
from tests.redis_server import redis_server
from tests.serving import graphs
from tests.serving.house import House
from thetool.config import Settings
from thetool.database.address import sqlalchemy_url
from thetool.database.hit_counts import HitCounter
from thetool.serving.cache import SHARED_FROM_MS, Kept, LocalCache, PredictionCache, decode, encode
from thetool.serving.shared_cache import InPostgres, InRedis

SLOW = Kept([np.arange(6, dtype=np.float32).reshape(2, 3), np.array(["ä", ""], dtype=object)], SHARED_FROM_MS * 2)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(database))
    yield engine
    engine.dispose()


def same(one: Kept | None, other: Kept) -> bool:
    pairs = zip(one.outputs, other.outputs, strict=True) if one else ()
    return one is not None and all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs)


def test_outputs_survive_as_bytes() -> None:
    kept = Kept([*SLOW.outputs, np.array(True), np.zeros((0, 2), np.int64), np.array([1.5], np.float16)], 1.25)
    again = decode(encode(kept))
    assert same(again, kept)
    assert again.milliseconds == 1.25


def cache(engine: Engine, settings: Settings, shared: object = None) -> PredictionCache:
    return PredictionCache(settings, HitCounter("test", engine), shared or InPostgres(engine))  # type: ignore[arg-type]


def test_slow_models_are_shared_and_quick_ones_not(engine: Engine, settings: Settings) -> None:
    here, there = cache(engine, settings), cache(engine, settings)
    here.keep(b"slow", uuid4(), SLOW)
    here.keep(b"quick", uuid4(), Kept(SLOW.outputs, 0.1))
    here.shared.flush()
    assert same(there.find(b"slow", usual_ms=None), SLOW)
    assert same(there.find(b"slow", usual_ms=0.1), SLOW), "from its own memory by now"
    assert there.find(b"quick", usual_ms=None) is None
    assert cache(engine, settings).find(b"slow", usual_ms=0.1) is None, "a quick model does not ask"


def test_what_is_over_is_not_given(engine: Engine, settings: Settings) -> None:
    one = cache(engine, settings.model_copy(update={"cache_prediction_ttl": 0}))
    assert not one.enabled
    local = LocalCache(10_000)
    local.put(b"a", SLOW, 10, ttl=-1)
    assert local.get(b"a") is None
    assert len(local) == 0


def test_the_oldest_make_room() -> None:
    local = LocalCache(3_000)
    for number in range(5):
        local.put(bytes([number]), SLOW, 500, ttl=60)
    assert [local.get(bytes([number])) is not None for number in range(5)] == [False, False, True, True, True]
    local.put(b"large", SLOW, 10_000, ttl=60)
    assert len(local) == 0


def test_a_models_predictions_go_with_it(engine: Engine, settings: Settings) -> None:
    mine, others = uuid4(), uuid4()
    one = cache(engine, settings)
    whole = np.arange(64.0).reshape(64, 1)
    for model_id in (mine, others):
        one.keep(model_id.bytes + b"x", model_id, Kept([whole[3:4]], 0.1))
    kept = one.find(others.bytes + b"x", usual_ms=0.1)
    assert kept is not None
    assert kept.outputs[0].base is None, "one row of a shared run does not keep the others in memory"
    one.local.forget(mine)
    assert one.find(mine.bytes + b"x", usual_ms=0.1) is None
    assert one.find(others.bytes + b"x", usual_ms=0.1) is kept


def test_a_cache_that_is_broken_is_a_miss(engine: Engine, settings: Settings) -> None:
    one = cache(engine, settings)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into prediction_cache values ('a', gen_random_uuid(), 'nonsense', now() + interval '1 hour')"
        )
    assert one.find(b"a", usual_ms=None) is None
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table prediction_cache")
    assert one.find(b"b", usual_ms=None) is None
    one.keep(b"b", uuid4(), SLOW)
    one.shared.flush()
    assert same(one.find(b"b", usual_ms=None), SLOW)


def test_a_redis_that_is_away_is_a_miss(engine: Engine, settings: Settings) -> None:
    one = cache(engine, settings, InRedis("redis://127.0.0.1:1/0"))
    assert one.find(b"a", usual_ms=None) is None
    one.keep(b"a", uuid4(), SLOW)
    assert same(one.find(b"a", usual_ms=None), SLOW)


def test_processes_share_by_redis_until_it_is_killed(
    postgres_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two applications, as two processes have them: what one has run, the other need not."""
    with (
        migrated_database(postgres_url) as url,
        redis_server(tmp_path_factory.mktemp("redis")) as (address, server),
        closing(House(_settings(url, tmp_path, address))) as here,
        closing(House(here.settings, work=False)) as there,
    ):
        path = f"/api/v1/models/{here.add('slow', graphs.slow())}"

        def ask(house: House, value: float) -> str:
            answer = house.post(f"{path}/predict", {"input_data": {"x": [value]}})
            assert answer.json["output_data"] == {"y": [value + 1]}
            return answer.headers["X-Cache"]

        assert [ask(here, 1), ask(there, 1), ask(there, 1)] == ["MISS", "HIT", "HIT"]
        assert here.call("PATCH", path, json={"description": "changed"}).status_code == 200
        assert [ask(there, 1), ask(here, 1)] == ["MISS", "HIT"], "forgotten in both, and shared again"
        server.kill()
        server.wait()
        assert [ask(here, 2), ask(there, 2), ask(here, 2)] == ["MISS", "MISS", "HIT"], "each has its own still"
        assert here.rows("select count(*) from prediction_cache") == [(0,)]


def _settings(url: str, home: Path, redis: str) -> Settings:
    return Settings(
        DATABASE_URL=url,
        THETOOL_HOME=home,
        MASTER_API_KEY=MASTER_KEY,
        REDIS_URL=redis,
        RATE_LIMIT_ENABLED=False,
        LOG_LEVEL="WARNING",
    )
