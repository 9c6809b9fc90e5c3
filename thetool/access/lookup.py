"""Issued keys as requests need them: from memory for a few seconds, else from the database.

A revoked key dies at once in the process that revoked it and within `FRESH_SECONDS` in all others. While the
database is away, a key seen in the last `STALE_SECONDS` goes on working. A database that hangs answers nobody for
seconds: so one request at a time asks about a known key, and the others wait `PATIENCE_SECONDS` for its answer; once
the database was away, one request each `AWAY_SECONDS` asks, about any key.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Event, Lock
from typing import Generic, TypeVar
from uuid import UUID

from thetool.access.statement import first_row
from thetool.database.connection import is_unavailable
from thetool.web.problems import DatabaseAway

FRESH_SECONDS = 5.0
UNKNOWN_SECONDS = 1.0
STALE_SECONDS = 3600.0
PATIENCE_SECONDS = 1.0
AWAY_SECONDS = 2.0
MOST_KEPT = 4096

# The time of last use is written at most once a minute, and never waits for another transaction.
_SELECT = """
with used as (
    update api_keys set last_used_at = now() where id = (
        select id from api_keys
        where {column} = %(value)s and revoked_at is null and (expires_at is null or expires_at > now())
            and (last_used_at is null or last_used_at < now() - interval '1 minute')
        for update skip locked
    )
)
select k.id, k.owner_id, k.name, o.name, k.scopes, k.rate_limit_per_minute, k.job_quota, k.storage_quota_bytes,
    k.revoked_at is not null, extract(epoch from k.expires_at - now())::float8
from api_keys k join owners o on o.id = k.owner_id
where k.{column} = %(value)s
"""
_BY_HASH = _SELECT.format(column="key_hash")
_BY_ID = _SELECT.format(column="id")


@dataclass(frozen=True)
class KnownKey:
    """An issued key as it was in the database a moment ago."""

    id: UUID
    owner_id: UUID
    name: str
    owner_name: str
    scopes: frozenset[str]
    rate_limit_per_minute: int | None
    job_quota: int | None
    storage_quota_bytes: int | None
    revoked: bool
    expires_at_monotonic: float | None

    @property
    def expired(self) -> bool:
        """Whether its time is over, by now."""
        return self.expires_at_monotonic is not None and time.monotonic() >= self.expires_at_monotonic


class KeyLookup:
    """Finds issued keys; safe for many threads."""

    def __init__(self) -> None:
        self._known: _Recent[KnownKey] = _Recent(MOST_KEPT)
        self._unknown: _Recent[None] = _Recent(MOST_KEPT)
        self._changes = 0
        self._asking: dict[bytes | UUID, Event] = {}
        self._ask_again_at = -math.inf  # a moment only while the database is away

    def by_hash(self, digest: bytes) -> KnownKey | None:
        """The key whose secret has this SHA-256; None when there is none. Raises DatabaseAway."""
        return self._find(_BY_HASH, digest)

    def by_id(self, key_id: UUID) -> KnownKey | None:
        """The key with this id; None when there is none. Raises DatabaseAway."""
        return self._find(_BY_ID, key_id)

    def knows(self, digest: bytes) -> bool:
        """Whether a key with this SHA-256 was found here before, be it a while ago."""
        return self._known.get(digest)[0] is not None

    def forget(self) -> None:
        """Ask the database again for each key: call it after the commit that changed one."""
        self._changes += 1
        self._known.clear()
        self._unknown.clear()

    def _find(self, statement: str, value: bytes | UUID) -> KnownKey | None:
        known, age = self._known.get(value)
        if known is not None and age < FRESH_SECONDS:
            return known
        if known is None and self._unknown.get(value)[1] < UNKNOWN_SECONDS:
            return None
        asking = self._asking.get(value) if known is not None else None
        if asking is not None and asking.wait(PATIENCE_SECONDS):
            return self._find(statement, value)
        if asking is not None or time.monotonic() < self._ask_again_at:
            return _seen_lately(known, age)
        changes = self._changes
        try:
            found = self._ask(statement, value)
        except Exception as error:
            if not is_unavailable(error):
                raise
            return _seen_lately(known, age, error)
        if changes != self._changes:  # what was read may be older than the change
            return found
        if found is None:
            self._known.remove(value)
            self._unknown.put(value, None)
        else:
            self._known.put(value, found)
        return found

    def _ask(self, statement: str, value: bytes | UUID) -> KnownKey | None:
        if self._ask_again_at > -math.inf:
            self._ask_again_at = time.monotonic() + AWAY_SECONDS
        asking = self._asking[value] = Event()
        try:
            found = _read(statement, value)
        except Exception as error:
            if is_unavailable(error):
                self._ask_again_at = time.monotonic() + AWAY_SECONDS
            raise
        finally:
            self._asking.pop(value, None)
            asking.set()
        self._ask_again_at = -math.inf
        return found


def _seen_lately(known: KnownKey | None, age: float, error: Exception | None = None) -> KnownKey:
    if known is not None and age < STALE_SECONDS:
        return known
    raise DatabaseAway("The key is not known here, and the database cannot be asked about it.") from error


def _read(statement: str, value: bytes | UUID) -> KnownKey | None:
    row = first_row(statement, value=value)
    if row is None:
        return None
    key_id, owner_id, name, owner_name, scopes, rate_limit, job_quota, storage_quota, revoked, seconds_left = row
    return KnownKey(
        id=key_id,
        owner_id=owner_id,
        name=name,
        owner_name=owner_name,
        scopes=frozenset(scopes),
        rate_limit_per_minute=rate_limit,
        job_quota=job_quota,
        storage_quota_bytes=storage_quota,
        revoked=revoked,
        expires_at_monotonic=None if seconds_left is None else time.monotonic() + seconds_left,
    )


V = TypeVar("V")


class _Recent(Generic[V]):
    """The values put in last, with their age; the oldest of more than `most` are dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[bytes | UUID, tuple[V, float]] = OrderedDict()

    def get(self, key: bytes | UUID) -> tuple[V | None, float]:
        """The value and its age in seconds; (None, infinity) when it is not kept."""
        kept = self._kept.get(key)
        return (None, math.inf) if kept is None else (kept[0], time.monotonic() - kept[1])

    def put(self, key: bytes | UUID, value: V) -> None:
        with self._lock:
            self._kept[key] = (value, time.monotonic())
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def remove(self, key: bytes | UUID) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
