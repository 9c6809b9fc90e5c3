"""Analyses that were made before: found by what went into them, shared by all processes through Postgres."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from thetool.access.statement import first_row
from thetool.analyze.kinds import Kind
from thetool.analyze.tasks import NEED_WEIGHTS, REVISION, Plan
from thetool.config import Settings
from thetool.storage import blobs

_FIND = """
    select id, owner_id, result::text, created_at from analyses
    where owner_id = %(owner_id)s and cache_key = %(cache_key)s
        and created_at > now() - make_interval(secs => %(ttl)s) and expires_at > now()
    order by created_at desc limit 1
"""
_GET = "select id, owner_id, result::text, created_at from analyses where id = %(id)s and expires_at > now()"


_FORGET = """
    with gone as (delete from analyses where id = %(id)s::uuid)
    select coalesce(array_agg(blob_id::text), '{}') from job_files where job_id = %(id)s::uuid
"""


@dataclass(frozen=True)
class Kept:
    """An analysis as it was kept; `result` is an `AnalysisResult` in JSON."""

    id: UUID
    owner_id: UUID
    result: str
    created_at: datetime

    def is_whole(self, plan: Plan) -> bool:
        """Whether each model was there that it was planned with; else another try may find more."""
        missed = (one["task"] for one in orjson.loads(self.result)["skipped"] if one["how"])
        return NEED_WEIGHTS.intersection(plan.tasks).isdisjoint(missed)

    def body(self, *, cached: bool) -> dict[str, Any]:
        """The analysis as an answer."""
        return {**orjson.loads(self.result), "cached": cached, "created_at": self.created_at}


def key_of(owner_id: UUID, kind: Kind, sha256: bytes, plan: Plan, options: Any) -> bytes:
    """SHA-256 of everything that the result depends on, and of whose it is.

    Args:
        owner_id: no owner is given another's analysis.
        kind: of the content.
        sha256: of the content as it came; of a text in UTF-8.
        plan: tasks and models.
        options: plain JSON types; whatever else changes the result.
    """
    models = [(model.name, model.version) for model in plan.models]
    rest = [REVISION, str(owner_id), kind, plan.tasks, plan.unavailable, models, options]
    return hashlib.sha256(sha256 + orjson.dumps(rest)).digest()


def find(settings: Settings, owner_id: UUID, key: bytes, plan: Plan) -> Kept | None:
    """The newest analysis with this key, if it is young enough (`CACHE_TTL`) and whole."""
    kept = _kept(first_row(_FIND, owner_id=str(owner_id), cache_key=key, ttl=settings.cache_ttl))
    return kept if kept is not None and kept.is_whole(plan) else None


def get(analysis_id: UUID) -> Kept | None:
    """An analysis that is still kept, whoever's it is."""
    return _kept(first_row(_GET, id=str(analysis_id)))


def forget(analysis_id: UUID) -> None:
    """Forget an analysis, and the pictures that were made for it.

    Raises:
        StorageUnavailable: the bucket is away; the pictures are out of sight, and go later.
    """
    pictures = first_row(_FORGET, id=str(analysis_id))
    for blob_id in pictures[0] if pictures else ():
        blobs.delete(_uuid(blob_id))


def _kept(row: tuple[Any, ...] | None) -> Kept | None:
    if row is None:
        return None
    analysis_id, owner_id, result, created_at = row
    return Kept(_uuid(analysis_id), _uuid(owner_id), result, created_at)


def _uuid(value: Any) -> UUID:
    """A connection of the pool gives text."""
    return value if isinstance(value, UUID) else UUID(value)
