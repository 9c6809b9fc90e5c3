"""The jobs that analyze: short texts in a thread at once, long ones apart, so that they keep nobody waiting.

That a completed `analyze.…` job leaves an analysis is the work of a trigger on `jobs` (migration 0005).
"""

from __future__ import annotations

from time import perf_counter
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from thetool.analyze.schemas import AnalysisResult, Skipped
from thetool.analyze.telling import Silence, Telling
from thetool.analyze.texts import TextRequest, analyze_text
from thetool.jobs.context import JobContext
from thetool.jobs.local import local
from thetool.jobs.registry import job
from thetool.text.topics import Labels

SHORT = "analyze.text"
LONG = "analyze.long_text"
INPUT_MEDIA_TYPE = "application/vnd.thetool.analyze-input"
"""Media type of a long text that waits for its job; see `retention`."""

_QUIET_CHARACTERS = 20_000  # a text that takes no time reports no progress: that would be one more statement

_RELEASE_INPUT = """
    update blobs set expires_at = now() from jobs where jobs.id = %(id)s and blobs.id = (jobs.params->>'input')::uuid
"""


class Wanted(BaseModel):
    """What to find, and how to keep it."""

    tasks: tuple[str, ...]
    labels: Labels | None
    each_sentence: bool
    by_name: bool = False
    exhaustive: bool = False
    skipped: list[Skipped]
    cache_key: str
    keep_seconds: float


class ShortText(Wanted):
    """A text that is itself in the job's row."""

    text: str


class LongText(Wanted):
    """A text in storage, in UTF-8."""

    input: UUID


def release_input(cursor: Any, context: JobContext, result: BaseModel) -> None:
    """Let go of the long text that an analysis was made of, in the transaction that completes its job."""
    cursor.execute(_RELEASE_INPUT, {"id": context.job_id})


@job(SHORT, timeout=300)
def analyze_short(context: JobContext, params: ShortText) -> AnalysisResult:
    """Analyze a text of up to 64 KiB."""
    return _analyze(context, params, params.text)


@job(LONG, runs="process", timeout=3600, memory_mb=4096, on_finish=release_input)
def analyze_long(context: JobContext, params: LongText) -> AnalysisResult:
    """Analyze a text of any length."""
    with context.open(params.input) as file:
        text = file.read().decode()
    return _analyze(context, params, text)


def _analyze(context: JobContext, params: Wanted, text: str) -> AnalysisResult:
    began = perf_counter()
    telling = Telling(context) if len(text) > _QUIET_CHARACTERS else Silence(context)
    request = TextRequest(
        params.tasks, params.labels, params.each_sentence, by_name=params.by_name, exhaustive=params.exhaustive
    )
    found = analyze_text(text, request, local.settings, watch=telling.watch, stage=telling.stage)
    return AnalysisResult(
        id=context.job_id,
        kind="text",
        result=found.result,
        models=found.models,
        skipped=[*params.skipped, *found.skipped],
        notes=found.notes,
        elapsed_ms=round((perf_counter() - began) * 1000, 2),
        correlation_id=context.correlation_id,
    )
