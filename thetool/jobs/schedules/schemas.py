"""What the admin routes take and answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Moment = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class CleanupQuery(BaseModel):
    """Whether to do it."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(False, description="Only count what would be removed.")


class ScheduleOut(BaseModel):
    """Something that happens by itself."""

    name: str
    rule: str = Field(description="When it is due.", examples=["every 300 s", "cron 0 3 * * mon-fri"])
    next_run_at: Moment
    last_run_at: Moment | None = Field(description="The tick that was last seen to.")
    job_id: UUID | None = Field(description="The job that the last tick became; null of what is no job.")
    runs: int = Field(description="Ticks seen to, skipped ones included.")
    skipped: int = Field(description="Ticks that made no job, because the one before was unfinished.")
    error: str | None = Field(description="What went wrong the last time, with what is no job.")


class SchedulesOut(BaseModel):
    """All schedules."""

    items: list[ScheduleOut]


class StatisticsQuery(BaseModel):
    """How far back."""

    model_config = ConfigDict(extra="forbid")

    hours: float = Field(24, gt=0, le=24 * 31, description="How far back, in hours.")
    period: Literal["hour", "minute"] = Field("hour", description="Minutes are kept for six hours, hours for a month.")


class StatisticsRowOut(BaseModel):
    """What ended in one hour (or minute), of one kind of job. Counts are of attempts."""

    begins: Moment
    kind: str
    completed: int
    failed: int
    cancelled: int
    retried: int = Field(description="Attempts after which the job was put back, to be tried again.")
    lost: int = Field(description="Attempts whose worker fell silent.")
    mean_ms: float | None
    p50_ms: float | None = Field(description="Half of the attempts ran no longer; within 9 %.")
    p95_ms: float | None


class StatisticsOut(BaseModel):
    """What ended, the newest first."""

    items: list[StatisticsRowOut]
