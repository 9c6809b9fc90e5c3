"""The jobs that analyze: short texts in a thread at once, long ones apart, so that they keep nobody waiting."""

from __future__ import annotations

from time import perf_counter
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from thetool.analyze.schemas import AnalysisResult, Skipped
from thetool.analyze.texts import TextRequest, analyze_text
from thetool.jobs.context import JobContext
from thetool.jobs.local import local
from thetool.jobs.registry import job
from thetool.text.topics import Labels
from thetool.text.watching import Watch

SHORT = "analyze.text"
LONG = "analyze.long_text"
INPUT_MEDIA_TYPE = "application/vnd.thetool.analyze-input"
"""Media type of a long text that waits for its job; see `retention`."""

_QUIET_CHARACTERS = 20_000  # a text that takes no time reports no progress: that would be one more statement

# All values come out of the job's own row: what is kept is exactly what the job was asked, and got.
_KEEP = """
    insert into analyses (id, owner_id, job_id, cache_key, kind, result, created_at, expires_at)
    select id, owner_id, id, decode(params->>'cache_key', 'hex'), result->>'kind', result, created_at,
        now() + make_interval(secs => (params->>'keep_seconds')::float8)
    from jobs where id = %(id)s
    on conflict (id) do nothing
"""
_RELEASE_INPUT = """
    update blobs set expires_at = now() from jobs where jobs.id = %(id)s and blobs.id = (jobs.params->>'input')::uuid
"""


class Wanted(BaseModel):
    """What to find, and how to keep it."""

    tasks: tuple[str, ...]
    labels: Labels | None
    each_sentence: bool
    skipped: list[Skipped]
    cache_key: str
    keep_seconds: float


class ShortText(Wanted):
    """A text that is itself in the job's row."""

    text: str


class LongText(Wanted):
    """A text in storage, in UTF-8."""

    input: UUID


def keep(cursor: Any, context: JobContext, result: BaseModel) -> None:
    """Keep the analysis, in the transaction that completes its job."""
    cursor.execute(_KEEP, {"id": context.job_id})


def keep_and_release_input(cursor: Any, context: JobContext, result: BaseModel) -> None:
    """Keep the analysis, and let go of the long text that it was made of."""
    keep(cursor, context, result)
    cursor.execute(_RELEASE_INPUT, {"id": context.job_id})


@job(SHORT, timeout=300, on_finish=keep)
def analyze_short(context: JobContext, params: ShortText) -> AnalysisResult:
    """Analyze a text of up to 64 KiB."""
    return _analyze(context, params, params.text)


@job(LONG, runs="process", timeout=3600, memory_mb=4096, on_finish=keep_and_release_input)
def analyze_long(context: JobContext, params: LongText) -> AnalysisResult:
    """Analyze a text of any length."""
    with context.open(params.input) as file:
        text = file.read().decode()
    return _analyze(context, params, text)


def _analyze(context: JobContext, params: Wanted, text: str) -> AnalysisResult:
    began = perf_counter()
    watch, say = _reporting(context) if len(text) > _QUIET_CHARACTERS else (lambda _: context.checkpoint(), None)
    request = TextRequest(params.tasks, params.labels, params.each_sentence)
    found = analyze_text(text, request, local.settings, watch=watch, stage=say)
    return AnalysisResult(
        id=context.job_id,
        kind="text",
        result=found.result,
        models=found.models,
        skipped=[*params.skipped, *found.skipped],
        elapsed_ms=round((perf_counter() - began) * 1000, 2),
        correlation_id=context.correlation_id,
    )


def _reporting(context: JobContext) -> tuple[Watch, Any]:
    """Progress and stage, as the job tells them."""
    reached = 0.0

    def watch(fraction: float) -> None:
        nonlocal reached
        reached = max(reached, fraction)
        context.progress(reached)

    def say(words: str) -> None:
        context.progress(reached, "analyzing", f"{words}…")

    return watch, say
