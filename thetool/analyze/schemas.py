"""What the routes answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, RootModel

from thetool.analyze.analysis import Analysis, Findings
from thetool.analyze.kinds import Kind
from thetool.analyze.table_schemas import TableAnalysis
from thetool.text.language import Language
from thetool.text.sentiment import Sentiment
from thetool.text.statistics import Statistics
from thetool.text.topics import Topics
from thetool.vision.info import Info
from thetool.vision.labels import Labels
from thetool.vision.objects import Objects
from thetool.vision.ocr import TextInImage
from thetool.vision.palette import Palette
from thetool.vision.quality import Quality
from thetool.web.problems import ProblemDetails


class TextResult(Findings):
    """What was found in a text; analyses that were not asked for, or were skipped, are left out."""

    sentiment: Sentiment | None = None
    language: Language | None = None
    topics: Topics | None = None
    statistics: Statistics | None = None


class ImageResult(Findings):
    """What was found in an image; analyses that were not asked for, or were skipped, are left out."""

    info: Info | None = None
    labels: Labels | None = None
    objects: Objects | None = None
    text: TextInImage | None = None
    palette: Palette | None = None
    quality: Quality | None = None


class TextAnalysis(Analysis):
    """A finished analysis of a text."""

    kind: Literal["text"] = "text"
    result: TextResult


class ImageAnalysis(Analysis):
    """A finished analysis of an image. Its pictures are links that need no key, good for as long as it is kept."""

    kind: Literal["image"] = "image"
    result: ImageResult
    thumbnail: str = Field(description="Link to a JPEG of it, at most 320 pixels wide and high.")
    annotated: str | None = Field(
        default=None, description="Link to a JPEG of it with what was found drawn over it; only with `annotate`."
    )


class _Kept(BaseModel):
    created_at: datetime = Field(description="When it was asked for, first.")


class TextAnalysisOut(TextAnalysis, _Kept):
    """A finished analysis of a text."""


class ImageAnalysisOut(ImageAnalysis, _Kept):
    """A finished analysis of an image."""


class TableAnalysisOut(TableAnalysis, _Kept):
    """A finished analysis of a table."""


class AnalysisOut(
    RootModel[Annotated[TextAnalysisOut | ImageAnalysisOut | TableAnalysisOut, Field(discriminator="kind")]]
):
    """A finished analysis."""


class Links(BaseModel):
    """Where to go on."""

    self: str = Field(description="The job; `?wait=30` waits for it.")
    cancel: str = Field(description="POST here to stop it.")
    result: str = Field(description="The analysis; 202 and this same body until it is finished.")
    events_url: str = Field(description="Its progress as server-sent events; carries a ticket and needs no key.")
    websocket_url: str = Field(description="The same as a WebSocket.")


class PendingOut(BaseModel):
    """An analysis that is not finished yet."""

    id: UUID = Field(description="Of the job, and of the analysis to be.")
    kind: Kind
    status: Literal["queued", "running"]
    stage: str | None
    message: str | None
    progress: float = Field(ge=0, le=1)
    links: Links
    created_at: datetime
    correlation_id: str | None


class BatchItem(BaseModel):
    """One file of a batch: its analysis, the job that makes it, or the problem with it."""

    filename: str | None
    analysis: AnalysisOut | PendingOut | None = None
    problem: ProblemDetails | None = None


class BatchOut(BaseModel):
    """What became of each file, in the order in which they came."""

    batch_id: UUID = Field(description="Also the `batch_id` of the jobs.")
    results: list[BatchItem]


class AnalysisSummary(BaseModel):
    """A finished analysis in a list."""

    id: UUID
    kind: Kind
    created_at: datetime
    expires_at: datetime


class AnalysisPage(BaseModel):
    """Analyses, newest first."""

    items: list[AnalysisSummary]
    next: str | None = Field(description="Address of the next page; null on the last.")


class CacheMetrics(BaseModel):
    """How often the cache had the answer, over all processes, since the last reset."""

    hits: int
    misses: int
    total_requests: int
    hit_rate_percent: float | None = Field(description="Null before the first request.")
    enabled: bool
    ttl_seconds: int = Field(description="How long one may be given again.")


class CacheMetricsOut(BaseModel):
    """The caches of the service."""

    analysis_cache: CacheMetrics
    prediction_cache: CacheMetrics


class CacheResetOut(BaseModel):
    """The counts begin anew."""

    status: Literal["reset"] = "reset"
