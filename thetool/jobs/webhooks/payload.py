"""What a receiver is told: the event, and the job as `GET /api/v1/jobs/{id}` shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from thetool.jobs import listing
from thetool.jobs.local import local
from thetool.jobs.records import Job
from thetool.jobs.schemas import JobSummaryOut, Moment
from thetool.web.links import configured_url

INLINE_BYTES = 65_536
"""A longer result is left to `links.result`: receivers bound what they read, too."""

Event = Literal["job.completed", "job.failed", "job.cancelled"]

_COLUMNS = [column.key for column in Job.__table__.columns if column.key not in ("params", "result")]
_FIND = f"""
    select {", ".join(_COLUMNS)}, octet_length(result::text),
        case when octet_length(result::text) <= %(most)s then result end
    from jobs where id = %(id)s
"""  # noqa: S608  our own column names


class FinishedJob(JobSummaryOut):
    """A finished job, without its parameters and traceback."""

    result: dict[str, Any] | None = Field(description="As its kind describes it; null when it is longer than 64 KiB.")
    result_bytes: int | None = Field(description="Length of the result as JSON; a long one is at `links.result`.")


class WebhookMessage(BaseModel):
    """The body of a webhook."""

    type: Event = Field(description="What happened.")
    timestamp: Moment = Field(description="When it happened.")
    data: FinishedJob


class JobGone(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The job was deleted, or put back into the queue, before its end could be told."""

    code = "webhook_job_gone"


def message_body(event: Event, job_id: UUID, finished_at: datetime) -> bytes:
    """The body that tells of a job's end.

    Raises:
        JobGone: there is no such end any more.
        DatabaseUnavailable: Postgres is away.
    """
    with local.queue.connection.transaction() as cursor:
        cursor.execute(_FIND, {"id": job_id, "most": INLINE_BYTES})
        row = cursor.fetchone()
    if row is None:
        raise JobGone("The job was deleted before its end could be told.")
    *values, length, result = row
    job = Job(**dict(zip(_COLUMNS, values, strict=True)))
    if job.finished_at != finished_at:
        raise JobGone("The job was put back into the queue before its end could be told; its next end will be.")
    shown = listing.summary(job, address=lambda path: configured_url(local.settings, path))
    data = FinishedJob(**shown.model_dump(), result=result, result_bytes=length)
    return orjson.dumps(WebhookMessage(type=event, timestamp=finished_at, data=data).model_dump(mode="json"))
