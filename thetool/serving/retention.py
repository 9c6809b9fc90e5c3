"""Removing predictions whose time is over, those of models that are gone, expired ones of the cache, nobody's files."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from thetool.jobs.schedules import cleanup
from thetool.serving import files
from thetool.serving.state import serving

BATCH = 5_000
FILES = 100

_COUNT = text(
    """
    select count(*) from (
        select from predictions p
        where created_at < now() - make_interval(secs => :seconds)
            or not exists (select from models m where m.id = p.model_id)
        limit :batch
    ) over
    """
)
_REMOVE = text(
    """
    delete from predictions where id in (
        select id from predictions p
        where created_at < now() - make_interval(secs => :seconds)
            or not exists (select from models m where m.id = p.model_id)
        limit :batch for update skip locked
    )
    """
)
_COUNT_EXPIRED = text("select count(*) from (select from prediction_cache where expires_at <= now() limit :batch) over")
_REMOVE_EXPIRED = text(
    """
    delete from prediction_cache where key in (
        select key from prediction_cache where expires_at <= now() limit :batch for update skip locked
    )
    """
)


def register() -> None:
    """Let each cleanup remove these."""
    cleanup.sweep("predictions", due=lambda _: due_predictions(), remove=lambda _: sweep_predictions())
    cleanup.sweep("cached_predictions", due=lambda _: due_cached(), remove=lambda _: sweep_cached())
    cleanup.sweep("model_files", due=lambda _: len(_unused_files()), remove=lambda _: sweep_files())


def due_predictions() -> int:
    """How many predictions would go now, counted no further than a batch."""
    with serving().database.connect() as connection:
        return connection.scalar(_COUNT, _values()) or 0


def sweep_predictions() -> int:
    """Remove a batch of them; how many."""
    with serving().database.begin() as connection:
        return connection.execute(_REMOVE, _values()).rowcount


def due_cached() -> int:
    """How many cached predictions would go now, counted no further than a batch."""
    with serving().database.connect() as connection:
        return connection.scalar(_COUNT_EXPIRED, {"batch": BATCH}) or 0


def sweep_cached() -> int:
    """Remove a batch of them; how many."""
    with serving().database.begin() as connection:
        return connection.execute(_REMOVE_EXPIRED, {"batch": BATCH}).rowcount


def sweep_files() -> int:
    """Remove a batch of the files that no model is made of; how many."""
    return sum(files.forget_unused(serving().database, *one) for one in _unused_files())


def _unused_files() -> list[tuple[UUID, str]]:
    return files.unused(serving().database, FILES)


def _values() -> dict[str, float]:
    return {"seconds": serving().settings.prediction_retention_days * 86_400, "batch": BATCH}
