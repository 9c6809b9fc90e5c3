"""How many bytes of files there are."""

from __future__ import annotations

import threading
import time
from uuid import UUID

from sqlalchemy import Engine, func, select

from thetool.storage.postgres import Postgres
from thetool.storage.records import BlobRecord

FRESH_SECONDS = 5


def owner_bytes(engine: Engine, owner_id: UUID, *, besides: UUID | None = None) -> int:
    """Bytes that an owner keeps in all places, without the blob `besides`."""
    query = select(func.coalesce(func.sum(BlobRecord.size), 0)).where(BlobRecord.owner_id == owner_id)
    return _scalar(engine, query.where(BlobRecord.id != besides) if besides else query)


def database_bytes(engine: Engine, *, besides: UUID | None = None) -> int:
    """Bytes that Postgres keeps for all owners, without the blob `besides`; reads the whole table of blobs."""
    query = select(func.coalesce(func.sum(BlobRecord.size), 0)).where(BlobRecord.place == Postgres.name)
    return _scalar(engine, query.where(BlobRecord.id != besides) if besides else query)


class DatabaseUsage:
    """`database_bytes`, asked at most every `FRESH_SECONDS`: small files come faster than the sum is cheap.

    Between two looks it counts what this process adds; what other processes add in those seconds may pass the limit.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._bytes = 0
        self._looked_at = float("-inf")

    def bytes(self) -> int:
        """Bytes that Postgres keeps for all owners, a few seconds old at most."""
        with self._lock:
            if time.monotonic() - self._looked_at > FRESH_SECONDS:
                self._bytes = database_bytes(self._engine)
                self._looked_at = time.monotonic()
            return self._bytes

    def add(self, size: int) -> None:
        """Count what was just stored (or, below zero, removed) without looking again."""
        with self._lock:
            self._bytes += size


def _scalar(engine: Engine, query: object) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(query) or 0)  # type: ignore[call-overload]
