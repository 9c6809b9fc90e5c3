"""What the job routes take and answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from thetool.web.pagination import PageQuery
from thetool.web.schemas import Input

Status = Literal["queued", "running", "completed", "failed", "cancelled"]
Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class JobsQuery(PageQuery):
    """Filters and page of the list of jobs."""

    status: Literal["pending", "queued", "running", "completed", "failed", "cancelled"] | None = Field(
        None, description="Only jobs of this status; `pending` is an older word for `queued`."
    )
    kind: str | None = Field(None, max_length=100, description="Only jobs of this kind, such as `analyze.text`.")
    batch_id: UUID | None = Field(None, description="Only jobs of this batch.")
    parent_id: UUID | None = Field(None, description="Only children of this job.")
    owner_id: UUID | None = Field(None, description="Only jobs of this owner; for the master key, which sees all.")
    page: int | None = Field(
        None, ge=1, le=10_000, description="Page by number, from 1; the answer then has `total`. `cursor` is quicker."
    )
    page_size: int = Field(20, ge=1, le=100, description="Rows of a page by number.")


class WaitQuery(BaseModel):
    """How long to wait."""

    model_config = ConfigDict(extra="forbid")

    wait: float = Field(0, ge=0, le=300, description="Seconds to wait for the job to finish, at most 300.")


class JobErrorOut(BaseModel):
    """Why a job failed."""

    code: str = Field(description="Stable name of the kind of error.", examples=["timeout"])
    message: str
    traceback: str | None = Field(None, description="Where in the code it happened.")


class JobLinks(BaseModel):
    """Where to go from here."""

    self: str
    result: str
    cancel: str | None = Field(None, description="Only while the job can be cancelled.")
    requeue: str | None = Field(
        None,
        description="Only where the job failed or was cancelled, and what it needs is still there; not in webhooks.",
    )
    events_url: str | None = Field(
        None,
        description="Server-sent events of an unfinished job. It carries a ticket and needs no key: for 24 hours, and "
        "until the job has been over for 5 minutes. Keep it to yourself.",
    )
    websocket_url: str | None = Field(None, description="The same as a WebSocket.")


class JobSummaryOut(BaseModel):
    """One job in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    title: str | None = Field(description="What people call it, such as the name of the file that was sent.")
    owner_id: UUID
    queue: str
    status: Status
    stage: str | None = Field(description="One word for what is going on.")
    message: str | None = Field(description="What it does now, for people; null once it is finished.")
    progress: float = Field(ge=0, le=1)
    priority: int
    attempts: int
    max_attempts: int
    lost: int = Field(description="How often a worker died over it.")
    error: JobErrorOut | None
    run_at: Moment | None = Field(description="Not before then; null: when something else has happened.")
    cancel_requested_at: Moment | None
    batch_id: UUID | None
    parent_id: UUID | None = Field(description="The job that made this one.")
    children_left: int = Field(description="How many unfinished children it waits for; it is `queued` then.")
    correlation_id: str | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    expires_at: Moment | None = Field(description="When the job and its result are deleted.")
    links: JobLinks


class JobOut(JobSummaryOut):
    """One job, whole; a kind may say more of its own."""

    model_config = ConfigDict(from_attributes=True, extra="allow")

    params: dict[str, Any]
    result: dict[str, Any] | None = Field(description="As its kind describes it; null until it is completed.")


class JobPageOut(BaseModel):
    """A page of jobs."""

    items: list[JobSummaryOut]
    next: str | None = Field(None, description="Address of the next page; null on the last.")
    page: int | None = Field(None, description="With `?page=`: the page's number.")
    page_size: int | None = Field(None, description="With `?page=`: rows of a page.")
    total: int | None = Field(None, description="With `?page=`: how many jobs there are.")


class RequeueIn(Input):
    """Which failed jobs to put back."""

    kind: str = Field(min_length=1, max_length=100, description="All failed ones of this kind.")
    limit: int = Field(1000, ge=1, le=1000, description="At most so many, the oldest first.")


class RequeuedOut(BaseModel):
    """What was put back."""

    requeued: int = Field(description="How many jobs are queued again.")
    left: int = Field(description="How many failed ones of the kind are left to be put back; ask again for those.")


class StatsQuery(Input):
    """How many jobs to look at."""

    limit: int = Field(10_000, ge=1, le=100_000, description="The newest so many jobs.")


class KindStatsOut(BaseModel):
    """How the jobs of one kind stand."""

    kind: str
    queued: int
    running: int
    completed: int
    failed: int
    cancelled: int
    oldest_ready_seconds: float | None = Field(description="How long the oldest one that could run has waited.")
    p50_seconds: float | None = Field(description="Half of the completed ones ran no longer than this.")
    p95_seconds: float | None = Field(description="19 of 20 completed ones ran no longer than this.")


class JobStatsOut(BaseModel):
    """How the newest jobs stand, by kind."""

    kinds: list[KindStatsOut]


class JobResultOut(BaseModel):
    """How a job ended, or that it has not yet (then the status is 202)."""

    model_config = ConfigDict(extra="allow")

    job_id: UUID
    status: Status
    message: str | None = None
    result: dict[str, Any] | None = None
    error_message: str | None = None
    error_traceback: str | None = None
    completed_at: Moment | None = None
