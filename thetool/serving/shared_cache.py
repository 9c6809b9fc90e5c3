"""Where processes share cached predictions: Redis when it is set, else a table of Postgres."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Engine, text

from thetool.access.statement import first_row
from thetool.config import Settings
from thetool.serving.later import WriteLater

REDIS_SECONDS = 0.2
"""So long Redis may take; a run of the model would be sooner."""
PAUSE_SECONDS = 5.0
"""So long Redis is left alone after it failed."""
PREFIX = b"thetool:prediction:"

_GET = """
    select value, extract(epoch from expires_at - now())::float8 from prediction_cache
    where key = %(key)s and expires_at > now()
"""
_PUT = text(
    """
    insert into prediction_cache (key, model_id, value, expires_at)
    values (:key, :model_id, :value, now() + make_interval(secs => :ttl))
    on conflict (key) do update set value = excluded.value, expires_at = excluded.expires_at
    """
)


class SharedCache(Protocol):
    """Values by key, for so many seconds."""

    def get(self, key: bytes) -> tuple[bytes, float] | None:
        """A value, and how many seconds it is good for."""

    def put(self, key: bytes, model_id: UUID, value: bytes, ttl: float) -> None:
        """Keep a value; nobody waits for that."""

    def flush(self) -> None:
        """Write now what waits."""


@dataclass(frozen=True, slots=True)
class _Put:
    key: bytes
    model_id: UUID
    value: bytes
    ttl: float


class InPostgres:
    """An unlogged table, written a moment later."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._later: WriteLater[_Put] = WriteLater("cached predictions", self._write, lambda put: len(put.value))

    def get(self, key: bytes) -> tuple[bytes, float] | None:
        """A value, and how many seconds it is good for."""
        row = first_row(_GET, engine=self._engine, key=key)
        return None if row is None else (bytes(row[0]), row[1])

    def put(self, key: bytes, model_id: UUID, value: bytes, ttl: float) -> None:
        """Keep a value; it is written a moment later."""
        self._later.add(_Put(key, model_id, value, ttl))

    def flush(self) -> None:
        """Write now what waits."""
        self._later.flush()

    def _write(self, items: list[_Put]) -> None:
        newest = {item.key: item for item in items}
        rows = [
            {"key": one.key, "model_id": one.model_id, "value": one.value, "ttl": one.ttl}
            for one in sorted(newest.values(), key=lambda one: one.key)  # in one order, so that nobody locks crosswise
        ]
        with self._engine.begin() as connection:
            connection.execute(_PUT, rows)


class InRedis:
    """Redis; while it does not answer there is nothing in it."""

    def __init__(self, url: str) -> None:
        import redis

        self._client: Any = redis.Redis.from_url(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, protocol=2
        )
        self._away_until = 0.0

    def get(self, key: bytes) -> tuple[bytes, float] | None:
        """A value, and how many seconds it is good for."""
        pipeline = self._client.pipeline(transaction=False)
        answer = self._try(lambda: pipeline.get(PREFIX + key).pttl(PREFIX + key).execute())
        if answer is None or answer[0] is None or answer[1] <= 0:
            return None
        return answer[0], answer[1] / 1000

    def put(self, key: bytes, model_id: UUID, value: bytes, ttl: float) -> None:
        """Keep a value."""
        self._try(lambda: self._client.set(PREFIX + key, value, px=max(1, round(ttl * 1000))))

    def flush(self) -> None:
        """Nothing waits."""

    def _try(self, ask: Any) -> Any:
        import redis

        if time.monotonic() < self._away_until:
            return None
        try:
            return ask()
        except redis.RedisError:
            self._away_until = time.monotonic() + PAUSE_SECONDS
            return None


def shared_cache(settings: Settings, engine: Engine) -> SharedCache:
    """The one that these settings ask for."""
    if settings.redis_url and settings.redis_enabled:
        return InRedis(settings.redis_url.get_secret_value())
    return InPostgres(engine)
