"""Removing predictions whose time is over, those of models that are gone, and expired ones of the shared cache."""

from __future__ import annotations

from sqlalchemy import text

from thetool.jobs.schedules import cleanup
from thetool.serving.state import serving

BATCH = 5_000

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


def _values() -> dict[str, float]:
    return {"seconds": serving().settings.prediction_retention_days * 86_400, "batch": BATCH}
