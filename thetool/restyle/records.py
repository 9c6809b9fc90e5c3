"""The last preview of each unfinished restyling, and how long finished ones took: two small tables of their own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text

RECENT = 20

_KEEP_PREVIEW = text(
    """
    insert into restyle_previews (job_id, step, picture) select id, :step, :picture from jobs where id = :job_id
    on conflict (job_id) do update set step = excluded.step, picture = excluded.picture
    """
)
_PREVIEW = text("select step, picture from restyle_previews where job_id = :job_id")
_FORGET = text("delete from restyle_previews where job_id = :job_id")
_STEP = text("select step from restyle_previews where job_id = :job_id")
_SECONDS = text(
    """
    select avg(seconds) from (
        select seconds from restyle_runs where quality = :quality and variations = :variations
        order by finished_at desc limit :recent
    ) as recent
    """
)
_WAITING = text(
    """
    select count(*) from jobs
    where status = 'queued' and queue = 'gpu' and runs = 'thread' and not held and id < :job_id
    """
)
_FINISHED = """
    insert into restyle_runs (job_id, quality, variations, seconds, gpu_seconds, device)
    values (%(job_id)s, %(quality)s, %(variations)s, %(seconds)s, %(gpu_seconds)s, %(device)s)
    on conflict (job_id) do nothing
"""


def keep_preview(engine: Engine, job_id: UUID, step: int, picture: bytes) -> None:
    """Keep it in place of the one before; it goes when the job ends."""
    with engine.begin() as connection:
        connection.execute(_KEEP_PREVIEW, {"job_id": job_id, "step": step, "picture": picture})


def preview_of(engine: Engine, job_id: UUID) -> tuple[int, bytes] | None:
    """The step that the last preview shows, and its JPEG; None when there is none (any more)."""
    with engine.begin() as connection:
        row = connection.execute(_PREVIEW, {"job_id": job_id}).first()
    return None if row is None else (row.step, bytes(row.picture))


def forget_preview(engine: Engine, job_id: UUID) -> None:
    """Let a job's preview go."""
    with engine.begin() as connection:
        connection.execute(_FORGET, {"job_id": job_id})


def preview_step(engine: Engine, job_id: UUID) -> int | None:
    """The step that the last preview shows."""
    with engine.begin() as connection:
        step: int | None = connection.execute(_STEP, {"job_id": job_id}).scalar()
    return step


def usual_seconds(engine: Engine, quality: str, variations: int) -> float | None:
    """How long the last restylings of this sort took; None before there were any."""
    wanted = {"quality": quality, "variations": variations, "recent": RECENT}
    with engine.begin() as connection:
        found = connection.execute(_SECONDS, wanted).scalar()
    return None if found is None else round(float(found), 1)


def waiting_before(engine: Engine, job_id: UUID) -> int:
    """How many older jobs wait for a device."""
    with engine.begin() as connection:
        return int(connection.execute(_WAITING, {"job_id": job_id}).scalar_one())


def note_finished(cursor: Any, **run: Any) -> None:
    """Note how long a job took, in the transaction that completes it, and let its preview go."""
    cursor.execute(_FINISHED, run)
    cursor.execute("delete from restyle_previews where job_id = %(job_id)s", {"job_id": run["job_id"]})
