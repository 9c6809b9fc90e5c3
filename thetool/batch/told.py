"""What is told of batches: their figures, and a signed link to the result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import undefer

from thetool.access.caller import Caller
from thetool.batch.jobs import KIND
from thetool.batch.schemas import ModelBatchOut
from thetool.database.orm import db
from thetool.jobs import listing
from thetool.jobs.local import local
from thetool.jobs.records import Job
from thetool.jobs.told import also_tells
from thetool.serving import models
from thetool.storage.links import signed_path
from thetool.web.pagination import PageQuery


def of_model(caller: Caller, model_id: UUID, query: PageQuery) -> Sequence[Job]:
    """The batches of a model after the cursor, newest first, one more than the page holds.

    Raises:
        NotFound: the caller may not see the model.
    """
    model = models.find(caller, model_id)
    wanted = (
        select(Job)
        .where(Job.owner_id == model.owner_id, Job.kind == KIND, Job.params["model_id"].as_string() == str(model_id))
        .options(undefer(Job.params), undefer(Job.result))
        .order_by(Job.id.desc())
        .limit(query.limit + 1)
    )
    if (after := query.after("batches", UUID)) is not None:
        wanted = wanted.where(Job.id < after)
    return db.session.scalars(wanted).all()


def told(job: Job) -> ModelBatchOut:
    """A batch as answers show it; the job was read whole."""
    return ModelBatchOut.model_validate(listing.whole(job).model_dump())


def _further(job: Job) -> dict[str, Any]:
    params, result = job.params, job.result or {}
    return {
        **{name: params.get(name) for name in ("model_id", "model_name", "model_version")},
        "rows": result.get("rows"),
        "failed_rows": result.get("failed_rows"),
        "download_url": _link(job, result),
    }


def _link(job: Job, result: dict[str, Any]) -> str | None:
    """A link to the result for as long as it is kept."""
    if not result.get("file_id") or job.finished_at is None:
        return None
    until = job.finished_at + timedelta(seconds=job.params["keep_seconds"])
    left = (until - datetime.now(UTC)).total_seconds()
    settings = local.settings
    address = settings.public_url or ""
    return address + signed_path(settings, UUID(result["file_id"]), left) if left > 0 else None


also_tells(KIND, _further)
