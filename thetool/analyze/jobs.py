"""The jobs that analyze: photos and short texts in a thread at once, long texts apart: they keep nobody waiting.

Tables have a module of their own (`table_job`), which is all that their process imports.

That a completed `analyze.…` job leaves an analysis, and nothing of its input, is the work of a trigger on `jobs`
(migrations 0005 and 0010).
"""

from __future__ import annotations

from functools import partial
from time import perf_counter
from uuid import UUID

from thetool.analyze import at_hand
from thetool.analyze.kinds import Kind
from thetool.analyze.photos import PhotoRequest, look_at_photo
from thetool.analyze.remarks import Note
from thetool.analyze.schemas import ImageAnalysis, TextAnalysis
from thetool.analyze.table_job import TABLE
from thetool.analyze.telling import Silence, Telling
from thetool.analyze.texts import TextRequest, analyze_text
from thetool.analyze.wanted import Wanted
from thetool.jobs.context import JobContext
from thetool.jobs.local import local
from thetool.jobs.registry import job
from thetool.storage.links import signed_path
from thetool.text.topics import Labels
from thetool.vision.thumbnail import MEDIA_TYPE as PICTURE_MEDIA_TYPE

SHORT = "analyze.text"
LONG = "analyze.long_text"
PHOTO = "analyze.photo"
CONTENT_KINDS: dict[str, Kind] = {SHORT: "text", LONG: "text", PHOTO: "image", TABLE: "table"}
"""What kind of content each kind of job is for."""
INPUT_MEDIA_TYPE = "application/vnd.thetool.analyze-input"
"""Media type of a content that waits in storage for its job; see `retention`."""

FROM_HTML = Note(
    task="text",
    note="It is HTML: what a page shows was analyzed, without tags, styles and scripts. Send it as text/plain to have "
    "its source analyzed.",
)

_QUIET_CHARACTERS = 20_000  # a text that takes no time reports no progress: that would be one more statement


class WantedOfText(Wanted):
    """What to find in a text."""

    labels: Labels | None
    each_sentence: bool
    exhaustive: bool = False
    from_html: bool = False


class ShortText(WantedOfText):
    """A text that is itself in the job's row."""

    text: str


class LongText(WantedOfText):
    """A text in storage, in UTF-8."""

    input: UUID


class Photo(Wanted):
    """An image in storage, as it came."""

    input: UUID
    annotate: bool = False
    location: bool = False


@job(SHORT, timeout=300)
def analyze_short(context: JobContext, params: ShortText) -> TextAnalysis:
    """Analyze a text of up to 64 KiB."""
    return _analyze_text(context, params, params.text)


@job(LONG, runs="process", timeout=3600, memory_mb=4096)
def analyze_long(context: JobContext, params: LongText) -> TextAnalysis:
    """Analyze a text of any length."""
    with context.open(params.input) as file:
        text = file.read().decode()
    return _analyze_text(context, params, text)


@job(PHOTO, timeout=300)
def analyze_photo(context: JobContext, params: Photo) -> ImageAnalysis:
    """Analyze an image."""
    began = perf_counter()
    telling = Telling(context) if "text" in params.tasks else Silence(context)
    request = PhotoRequest(params.tasks, by_name=params.by_name, annotate=params.annotate, location=params.location)
    data = at_hand.find(params.input) or _read(context, params.input)
    found = look_at_photo(
        data, request, local.settings, context, keep=partial(_keep, context, params), stage=telling.stage
    )
    return ImageAnalysis(
        id=context.job_id,
        result=found.result,
        models=found.models,
        skipped=[*params.skipped, *found.skipped],
        notes=found.notes,
        thumbnail=found.thumbnail,
        annotated=found.annotated,
        elapsed_ms=round((perf_counter() - began) * 1000, 2),
        correlation_id=context.correlation_id,
    )


def _read(context: JobContext, stored: UUID) -> bytes:
    with context.open(stored) as file:
        return file.read()


def _keep(context: JobContext, params: Photo, picture: bytes, name: str) -> str:
    """Keep a picture for as long as the analysis, and give a link to it that is good for as long."""
    kept = context.store(picture, media_type=PICTURE_MEDIA_TYPE, filename=name, keep_seconds=params.keep_seconds)
    return (local.settings.public_url or "") + signed_path(local.settings, kept, params.keep_seconds)


def _analyze_text(context: JobContext, params: WantedOfText, text: str) -> TextAnalysis:
    began = perf_counter()
    telling = Telling(context) if len(text) > _QUIET_CHARACTERS else Silence(context)
    request = TextRequest(
        params.tasks, params.labels, params.each_sentence, by_name=params.by_name, exhaustive=params.exhaustive
    )
    found = analyze_text(text, request, local.settings, watch=telling.watch, stage=telling.stage)
    return TextAnalysis(
        id=context.job_id,
        result=found.result,
        models=found.models,
        skipped=[*params.skipped, *found.skipped],
        notes=[*([FROM_HTML] if params.from_html else []), *found.notes],
        elapsed_ms=round((perf_counter() - began) * 1000, 2),
        correlation_id=context.correlation_id,
    )
