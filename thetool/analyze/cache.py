"""Analyses that were made before: found by what went into them, shared by all processes through Postgres."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Engine, text

from thetool.analyze.kinds import Kind
from thetool.analyze.tasks import REVISION, Plan
from thetool.config import Settings

_FIND = text(
    """
    select id, owner_id, result::text, created_at from analyses
    where owner_id = :owner_id and cache_key = :cache_key
        and created_at > now() - make_interval(secs => :ttl) and expires_at > now()
    order by created_at desc limit 1
    """
)
_GET = text("select id, owner_id, result::text, created_at from analyses where id = :id and expires_at > now()")


@dataclass(frozen=True)
class Kept:
    """An analysis as it was kept; `result` is an `AnalysisResult` in JSON."""

    id: UUID
    owner_id: UUID
    result: str
    created_at: datetime

    def body(self, *, cached: bool) -> dict[str, Any]:
        """The analysis as an answer."""
        return {**orjson.loads(self.result), "cached": cached, "created_at": self.created_at}


def key_of(owner_id: UUID, kind: Kind, content: str, plan: Plan, options: Any) -> bytes:
    """SHA-256 of everything that the result depends on, and of whose it is.

    Args:
        owner_id: no owner is given another's analysis.
        kind: of the content.
        content: the text.
        plan: tasks and models.
        options: plain JSON types; whatever else changes the result.
    """
    digest = hashlib.sha256(content.encode())
    models = [(model.name, model.version) for model in plan.models]
    rest = [REVISION, str(owner_id), kind, plan.tasks, plan.unavailable, models, options]
    digest.update(b"\0" + orjson.dumps(rest))
    return digest.digest()


def find(engine: Engine, settings: Settings, owner_id: UUID, key: bytes) -> Kept | None:
    """The newest analysis with this key that is young enough (`CACHE_TTL`)."""
    return _one(engine, _FIND, {"owner_id": owner_id, "cache_key": key, "ttl": settings.cache_ttl})


def get(engine: Engine, analysis_id: UUID) -> Kept | None:
    """An analysis that is still kept, whoever's it is."""
    return _one(engine, _GET, {"id": analysis_id})


def _one(engine: Engine, statement: Any, values: dict[str, Any]) -> Kept | None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:  # one round trip, not three
        row = connection.execute(statement, values).one_or_none()
    return None if row is None else Kept(*row)
