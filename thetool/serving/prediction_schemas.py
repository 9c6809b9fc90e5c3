"""What the routes of predictions take and answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from thetool.serving.schemas import Moment
from thetool.serving.semver import MAX_CHARACTERS
from thetool.web.pagination import PageQuery
from thetool.web.schemas import Input

PredictionStatus = Literal["made", "cached", "failed"]


def _in_utc(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 3000:
        raise ValueError("is between 1970 and 2999")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Day = Annotated[datetime, AfterValidator(_in_utc)]


class LabelOut(BaseModel):
    """One class that the model thinks likely."""

    id: int = Field(description="Its number, from 0.")
    label: str
    confidence: float


class PredictOut(BaseModel):
    """A prediction."""

    id: UUID
    model_id: UUID = Field(description="The version that made it; with a canary, which of the two.")
    model_name: str
    model_version: str
    input_data: dict[str, Any] | None = Field(description="As it was sent; null where that was `instances` or is long.")
    output_data: dict[str, Any] | None = Field(description="Nested lists for each output.")
    predictions: list[Any] | None = Field(None, description="With `instances`: one for each of them, in their order.")
    labels: list[LabelOut] | None = Field(None, description="Of a picture or text: the likeliest classes.")
    inference_time_ms: float = Field(description="How long the model ran; of a cached one, how long it did then.")
    cached: bool
    request_id: str | None
    created_at: Moment


class PredictionsFilter(Input):
    """Which predictions are meant."""

    status: PredictionStatus | None = Field(None, description="Only what the model made, what was cached, what failed.")
    since: Day | None = Field(None, alias="from", description="Only from this moment or day on (ISO 8601; UTC).")
    until: Day | None = Field(None, alias="to", description="Only until before this moment or day.")


class PredictionsQuery(PageQuery, PredictionsFilter):
    """Which predictions to list."""

    page: int | None = Field(None, ge=1, le=10_000, description="Page by number; the answer then has `total`.")
    page_size: int = Field(20, ge=1, le=100, description="Rows of a page by number.")


class OfVersion(Input):
    """Which versions are meant."""

    version: str | None = Field(None, max_length=MAX_CHARACTERS, description="Only of this version.")


class VersionsPredictionsQuery(PredictionsQuery, OfVersion):
    """Which predictions of a model's versions to list."""


class VersionsPredictionsFilter(PredictionsFilter, OfVersion):
    """Which predictions of a model's versions are meant."""


class PredictionOut(BaseModel):
    """A prediction in the history."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    model_id: UUID = Field(description="The version that was asked.")
    input_data: Any = Field(description="Null where it was long.")
    output_data: Any
    truncated: bool = Field(description="Whether what went in or came out was too long to be kept.")
    rows: int | None = Field(description="How many rows it was for, where all inputs have as many.")
    inference_time_ms: float | None = Field(
        description="How long the model ran; of a cached one, how long it did then."
    )
    cached: bool
    error: str | None = Field(description="Code of the problem, where it failed.")
    request_id: str | None
    created_at: Moment


class PredictionPage(BaseModel):
    """Predictions, newest first."""

    items: list[PredictionOut]
    next: str | None = Field(None, description="Address of the next page; null on the last.")
    page: int | None = None
    page_size: int | None = None
    total: int | None = None


class LatencyQuery(Input):
    """How far back to look."""

    hours: int = Field(24, ge=1, le=720, description="The last so many hours.")


class LatencyPointOut(BaseModel):
    """One stretch of the time."""

    begins: Moment
    predictions: int
    p50_ms: float | None
    p95_ms: float | None


class VersionLatencyOut(BaseModel):
    """How quick one version was."""

    model_id: UUID
    version: str
    predictions: int
    cached: int
    failed: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class LatenciesOut(BaseModel):
    """How quick the versions of a model were, the highest first."""

    name: str
    hours: int
    versions: list[VersionLatencyOut]


class LatencyOut(BaseModel):
    """How quick a version was; cached and failed predictions do not count for its times."""

    model_id: UUID
    hours: int
    predictions: int
    cached: int
    failed: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    points: list[LatencyPointOut]
