"""What restyling answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from thetool.restyle.quality import QualityOut
from thetool.weights.used import ModelUsed

Stage = Literal["queued", "analyzing", "generating", "transforming", "finalizing", "completed", "failed", "cancelled"]


class SeenObject(BaseModel):
    """One object in the photo."""

    label: str = Field(examples=["couch"])
    confidence: float = Field(ge=0, le=1)
    box: tuple[float, float, float, float] = Field(
        description="[x_min, y_min, x_max, y_max] in pixels of the upright full-size photo."
    )
    outline: list[tuple[float, float]] = Field(description="Corners of its outline, in the same pixels.")
    area: float = Field(ge=0, le=1, description="Its share of the photo.")
    mask_confidence: float | None = Field(
        description="How well the outline fits, as the model estimates; null: it is the box, for want of a model."
    )


class Variation(BaseModel):
    """One of the pictures."""

    transformed_url: str
    thumbnail_url: str
    seed: int
    quality: QualityOut


class RestyleMetadata(BaseModel):
    """How the picture was made; the picture's file holds it too (EXIF UserComment)."""

    style: str
    room_type: str | None = Field(description="As the caller said, else what the objects speak for.")
    seed: int
    steps: int
    strength: float
    guidance: float
    depth_scale: float
    edge_scale: float
    size: tuple[int, int] = Field(description="Width and height of the result.")
    photo_size: tuple[int, int] = Field(description="Width and height of the upright photo; boxes are in its pixels.")
    painted_size: tuple[int, int] = Field(description="Width and height that the model worked at.")
    prompt: str
    negative_prompt: str
    models: list[ModelUsed]
    device: str
    timings: dict[str, float] = Field(description="Seconds of each stage.")
    processing_time: float = Field(description="Seconds in all.")
    gpu_seconds: float = Field(description="Seconds that the device computed for this job.")
    cost: float | None = Field(description="At `GPU_COST_PER_HOUR`; null where that is not set.")
    quality: QualityOut
    notes: list[str] = Field(description="What could not be done as it was asked, in sentences.")


class RestyleResult(BaseModel):
    """A restyled photo: links are signed, and good until `expires_at`."""

    transformed_url: str = Field(description="A JPEG; where only a part was painted, a PNG: the rest is as it was.")
    thumbnail_url: str
    original_url: str = Field(description="The photo as it was sent.")
    before_url: str = Field(description="The photo upright and of the result's size, to compare it with: a JPEG.")
    control_urls: dict[str, str] = Field(description="`depth`, `edges`, and `mask` where only a part was painted.")
    objects: list[SeenObject]
    variations: list[Variation] = Field(description="All pictures; the first is the one above.")
    metadata: RestyleMetadata
    expires_at: datetime

    def reached_at(self, address: Callable[[str], str]) -> RestyleResult:
        """The same with whole links; `address` makes them of the paths that were stored for want of a `PUBLIC_URL`."""

        def whole(link: str) -> str:
            return address(link) if link.startswith("/") else link

        names = ("transformed_url", "thumbnail_url", "original_url", "before_url")
        changes: dict[str, Any] = {name: whole(getattr(self, name)) for name in names}
        changes["control_urls"] = {name: whole(link) for name, link in self.control_urls.items()}
        changes["variations"] = [
            one.model_copy(update={name: whole(getattr(one, name)) for name in names[:2]}) for one in self.variations
        ]
        return self.model_copy(update=changes)


class SubmittedOut(BaseModel):
    """A restyling that was accepted."""

    success: bool = True
    job_id: UUID
    estimated_time: float | None = Field(
        description="Seconds until it is done, by how long the last ones took; null before there were any."
    )
    websocket_url: str
    status_url: str


class TransformState(BaseModel):
    """How far a restyling is."""

    job_id: UUID
    status: Stage
    progress: float = Field(ge=0, le=1)
    message: str | None
    style: str
    created_at: datetime
    updated_at: datetime
    attempts: int
    max_attempts: int
    estimated_time_remaining: float | None = Field(None, description="Seconds; null where that cannot be told.")
    preview_url: str | None = Field(None, description="A small picture of how far the painting is, once there is one.")
    websocket_url: str | None = None
    request: dict[str, Any] = Field(description="What was asked, to ask it again.")
    mask_url: str | None = Field(None, description="The mask that was sent with it.")
    result: RestyleResult | None = None
    error: str | None = None
    error_code: str | None = None


class StatusOut(BaseModel):
    """The status of a restyling."""

    success: bool = True
    data: TransformState


class CancelledOut(BaseModel):
    """A restyling that was cancelled, or will be as soon as it can stop."""

    success: bool = True
    message: str = "Job cancelled successfully"


class StyleOut(BaseModel):
    """One style."""

    name: str
    title: str
    summary: str
    palette: list[str]


class StylesOut(BaseModel):
    """All styles, and whether anybody can restyle just now."""

    styles: list[StyleOut]
    available: bool = Field(description="Whether a live worker can restyle.")
    how_to: str | None = Field(description="What to do where none can.")
