"""Where rate limits are counted: a table of Postgres, shared by all processes; or Redis when it is set.

Both are storages of the `limits` library, which have a token bucket besides. It is kept as GCRA (ITU-T I.371): one
moment per caller, at which its bucket will be full again. A request moves that moment on by what one request weighs,
and is refused if that would be further ahead than a whole bucket. So one statement decides, whatever the traffic.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

from limits.storage import RedisStorage, Storage
from psycopg2 import Error as PostgresError
from sqlalchemy.exc import SQLAlchemyError

from thetool.access.statement import first_row

TAKES_BETWEEN_SWEEPS = 256

# Gives no row when it refuses. To plan it takes longer than to run it: telling in the same statement why it refuses
# would double its time.
_TAKE = """
insert into rate_limits as r (key, hits, expires_at)
select %(key)s, %(cost)s, now() + make_interval(secs => %(weight)s) where %(weight)s <= %(size)s
on conflict (key) do update set
    hits = r.hits + excluded.hits,
    expires_at = greatest(r.expires_at, now()) + make_interval(secs => %(weight)s)
where greatest(r.expires_at, now()) + make_interval(secs => %(weight)s) <= now() + make_interval(secs => %(size)s)
returning extract(epoch from expires_at - now())::float8
"""
_LEVEL = "select extract(epoch from expires_at - now())::float8 from rate_limits where key = %(key)s"
_SWEEP = """
delete from rate_limits where key in (
    select key from rate_limits where expires_at < now() limit 1000 for update skip locked
)
"""
_INCREMENT = """
insert into rate_limits as r (key, hits, expires_at)
values (%(key)s, %(amount)s, now() + make_interval(secs => %(expiry)s))
on conflict (key) do update set
    hits = excluded.hits + case when r.expires_at > now() then r.hits else 0 end,
    expires_at = case when r.expires_at > now() then r.expires_at else excluded.expires_at end
returning hits
"""
_TAKE_IN_REDIS = """
local weight, size, clock = tonumber(ARGV[1]), tonumber(ARGV[2]), redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
if full_at + weight - now > size + 0.000001 then return {0, string.format('%.6f', full_at - now)} end
full_at = full_at + weight
redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil((full_at - now) * 1000))
return {1, string.format('%.6f', full_at - now)}
"""


@dataclass(frozen=True)
class Bucket:
    """A caller's bucket after a request was counted or refused. Times are seconds from now."""

    allowed: bool
    capacity: int
    remaining: int
    full_in: float
    next_in: float

    @classmethod
    def of(cls, allowed: bool, full_in: float, *, interval: float, capacity: int, cost: int) -> Bucket:
        """Work out what is left from when the bucket will be full; it gains one request each `interval`."""
        full_in = max(0.0, full_in)
        missing = full_in / interval
        return cls(
            allowed=allowed,
            capacity=capacity,
            remaining=max(0, math.floor(capacity - missing + 1e-6)),
            full_in=full_in,
            next_in=0.0 if allowed else max(0.0, (missing + cost - capacity) * interval),
        )


class BucketStorage(Protocol):
    """A storage with token buckets: they hold `capacity` requests and gain one each `interval` seconds."""

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What it raises when it is away."""

    def take(self, key: str, *, interval: float, capacity: int, cost: int) -> Bucket:
        """Count `cost` requests, if the bucket holds so many."""

    def level(self, key: str, *, interval: float, capacity: int) -> Bucket:
        """The bucket as it is."""


class PostgresStorage(Storage):
    """Limits in the UNLOGGED table `rate_limits` of the application's database; needs an application context."""

    STORAGE_SCHEME = ["thetool-postgres"]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: float | str | bool) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._takes = count(1)

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """What it raises when it is away."""
        return (SQLAlchemyError, PostgresError)

    def take(self, key: str, *, interval: float, capacity: int, cost: int) -> Bucket:
        """Count `cost` requests, if the bucket holds so many; now and then drop buckets that are full again."""
        if next(self._takes) % TAKES_BETWEEN_SWEEPS == 0:
            first_row(_SWEEP)
        taken = first_row(_TAKE, key=key, cost=cost, weight=cost * interval, size=capacity * interval)
        full_in = taken or first_row(_LEVEL, key=key) or (0.0,)
        return Bucket.of(taken is not None, full_in[0], interval=interval, capacity=capacity, cost=cost)

    def level(self, key: str, *, interval: float, capacity: int) -> Bucket:
        """The bucket as it is."""
        row = first_row(_LEVEL, key=key)
        return Bucket.of(True, row[0] if row else 0.0, interval=interval, capacity=capacity, cost=0)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count in a fixed window of `expiry` seconds; the count so far."""
        row = first_row(_INCREMENT, key=key, amount=amount, expiry=expiry)
        return int(row[0]) if row else amount

    def get(self, key: str) -> int:
        """The count of the present window."""
        row = first_row("select hits from rate_limits where key = %(key)s and expires_at > now()", key=key)
        return int(row[0]) if row else 0

    def get_expiry(self, key: str) -> float:
        """When the present window ends, in seconds since 1970."""
        row = first_row("select extract(epoch from expires_at)::float8 from rate_limits where key = %(key)s", key=key)
        return float(row[0]) if row else time.time()

    def check(self) -> bool:
        """Whether it can be reached."""
        try:
            return first_row("select 1") is not None
        except self.base_exceptions:
            return False

    def reset(self) -> int | None:
        """Forget all limits; how many there were."""
        row = first_row("with gone as (delete from rate_limits returning 1) select count(*) from gone")
        return int(row[0]) if row else None

    def clear(self, key: str) -> None:
        """Forget one limit."""
        first_row("delete from rate_limits where key = %(key)s", key=key)


class RedisBucketStorage(RedisStorage):
    """The library's Redis storage, with token buckets; its address is `bucket+redis://…`."""

    STORAGE_SCHEME = ["bucket+redis", "bucket+rediss", "bucket+unix"]

    def __init__(self, uri: str, **options: Any) -> None:
        super().__init__(uri.removeprefix("bucket+"), **options)
        self._take = self.get_connection().register_script(_TAKE_IN_REDIS.encode())

    def take(self, key: str, *, interval: float, capacity: int, cost: int) -> Bucket:
        """Count `cost` requests, if the bucket holds so many."""
        allowed, full_in = self._take([self.prefixed_key(key)], [cost * interval, capacity * interval])
        return Bucket.of(bool(allowed), float(full_in), interval=interval, capacity=capacity, cost=cost)

    def level(self, key: str, *, interval: float, capacity: int) -> Bucket:
        """The bucket as it is."""
        milliseconds = max(0, int(self.storage.pttl(self.prefixed_key(key))))
        return Bucket.of(True, milliseconds / 1000, interval=interval, capacity=capacity, cost=0)
