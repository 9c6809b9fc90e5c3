"""What the routes of batches answer."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from thetool.jobs.schemas import Moment


class BatchFailureOut(BaseModel):
    """One job of a batch that failed."""

    model_config = ConfigDict(from_attributes=True)

    job_id: UUID
    title: str | None = Field(description="What was sent, such as the name of a file.")
    code: str | None
    message: str | None


class BatchLinks(BaseModel):
    """Where to go from here."""

    self: str
    jobs: str
    cancel: str | None = Field(None, description="Only while something is unfinished.")


class BatchOut(BaseModel):
    """How a batch stands."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    status: Literal["queued", "running", "completed", "failed", "cancelled", "partial"] = Field(
        description="`partial`: finished, and some jobs are completed and some are not."
    )
    total: int = Field(description="Jobs in all; those that are deleted no longer count.")
    queued: int
    running: int
    completed: int
    failed: int
    cancelled: int
    progress: float = Field(ge=0, le=1, description="Over all jobs.")
    created_at: Moment
    finished_at: Moment | None
    failures: list[BatchFailureOut] = Field(description="The first 100 jobs that failed, and why.")
    links: BatchLinks


class BatchCancelledOut(BatchOut):
    """How a batch stands after it was cancelled."""

    asked: int = Field(description="How many unfinished jobs were cancelled, or asked to stop.")
