"""`POST /analyze`, the analyses that were made, and how well the cache does."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from apiflask import APIBlueprint
from flask import Flask, Response, current_app, request
from flask.blueprints import BlueprintSetupState
from sqlalchemy import select

from thetool.access.caller import current_caller, needs
from thetool.access.policy import require
from thetool.analyze import cache
from thetool.analyze.answers import (
    RETRY_AFTER_SECONDS,
    AnalysisCancelled,
    AnalysisFailed,
    Deadline,
    answer_to,
    job_address,
)
from thetool.analyze.asked import Asked, ask
from thetool.analyze.batches import Take, analyze_batch
from thetool.analyze.cache import Kept
from thetool.analyze.content import EmptyInput
from thetool.analyze.decoding import UndecodableText
from thetool.analyze.documentation import MODELS, OPERATION
from thetool.analyze.intake import Incoming, Source, read_request
from thetool.analyze.records import Analysis
from thetool.analyze.remote import FetchingBusy
from thetool.analyze.schemas import (
    AnalysisOut,
    AnalysisPage,
    AnalysisSummary,
    CacheMetrics,
    CacheMetricsOut,
    CacheResetOut,
)
from thetool.analyze.submission import Desk
from thetool.analyze.table_job import PROBLEMS
from thetool.analyze.uploads import body_bytes
from thetool.database.hit_counts import HitCounter
from thetool.database.orm import db
from thetool.jobs import listing
from thetool.jobs.admission import NoWorker, QueueFull, QuotaExceeded
from thetool.jobs.idempotency import Idempotency, IdempotencyConflict
from thetool.jobs.repeats import is_replayed, request_idempotency
from thetool.jobs.schemas import WaitQuery
from thetool.jobs.webhooks.asked import NoWebhookSecret, webhook_of
from thetool.serving.predict_routes import answer_of, may_fail
from thetool.serving.state import serving
from thetool.telemetry.health import register_probe
from thetool.vision.problems import DamagedImage, DecoderUnavailable, DecodingTimedOut, ImageTooLarge
from thetool.web.body_limit import limit_body
from thetool.web.current import settings
from thetool.web.json_provider import to_json
from thetool.web.openapi import described, raises
from thetool.web.outbound.fetch import NotFetched
from thetool.web.pagination import PageQuery, page_of
from thetool.web.preferences import wait_seconds
from thetool.web.problems import DatabaseAway, NotFound, TooLarge, UnsupportedMediaType, ValidationFailed
from thetool.web.request_id import current_request_id
from thetool.weights.problems import WeightsMissing

EXTENSION = "thetool_analyze"

blueprint = APIBlueprint("analyze", __name__, tag="Analyze")


@blueprint.record_once
def _prepare(setup: BlueprintSetupState) -> None:
    """An application that has these routes has a desk, and tells of its cache."""
    app = cast(Flask, setup.app)
    with app.app_context():
        desk = app.extensions[EXTENSION] = Desk(app.config["THETOOL_SETTINGS"], db.engine)
    register_probe("cache", lambda: desk.counter.read().as_dict())


@blueprint.post("/analyze")
@needs("write")
@limit_body(body_bytes)
@raises(EmptyInput, UndecodableText, ValidationFailed, UnsupportedMediaType, TooLarge, IdempotencyConflict, QueueFull)
@raises(QuotaExceeded, NoWorker, WeightsMissing, DatabaseAway, AnalysisFailed, NoWebhookSecret)
@raises(*PROBLEMS)
@may_fail
@raises(NotFetched, FetchingBusy, DamagedImage, ImageTooLarge, DecodingTimedOut, DecoderUnavailable)
@described(OPERATION, *MODELS)
def analyze() -> Response:
    """Analyze a text, an image or a table, or several files.

    The kind is found from the content. The same content, tasks and models give the earlier answer (`cached`). An
    analysis that takes longer than the wait is answered with 202 and its job.
    """
    if (model := request.args.get("model")) is not None:  # one of the caller's own, which says itself what it takes
        return answer_of(model, request.args.get("version"))
    incoming = read_request(settings())
    asked_to_wait = incoming.options.wait
    deadline = Deadline(wait_seconds(settings().analyze_wait_seconds if asked_to_wait is None else asked_to_wait))
    idempotency = request_idempotency(incoming.digest)
    if incoming.is_batch:
        body, final = analyze_batch(incoming.sources, _taking(incoming), deadline, idempotency)
        return _answer(body, final=final, location=f"/api/v1/jobs?batch_id={body['batch_id']}")
    taken = _taking(incoming)(incoming.sources[0], idempotency, None)
    body, final = answer_to(taken, deadline)
    return _answer(body, final=final, location=job_address(body["id"]), hit=isinstance(taken, Kept))


@blueprint.get("/api/v1/analyses")
@needs("read")
@blueprint.input(PageQuery, location="query", arg_name="query")
@blueprint.output(AnalysisPage)
def list_analyses(query: PageQuery) -> AnalysisPage:
    """List your analyses, newest first."""
    columns = (Analysis.id, Analysis.kind, Analysis.created_at, Analysis.expires_at)
    wanted = select(*columns).where(Analysis.expires_at > db.func.now()).order_by(Analysis.id.desc())
    caller = current_caller()
    if not caller.is_master:
        wanted = wanted.where(Analysis.owner_id == caller.owner_id)
    if (after := query.after("analyses", UUID)) is not None:
        wanted = wanted.where(Analysis.id < after)
    page = page_of("analyses", db.session.execute(wanted.limit(query.limit + 1)).all(), query)
    return AnalysisPage(items=[AnalysisSummary(**row._asdict()) for row in page.items], next=page.next)


@blueprint.get("/api/v1/analyses/<uuid:analysis_id>")
@needs("read")
@blueprint.input(WaitQuery, location="query", arg_name="query")
@blueprint.output(AnalysisOut)
@blueprint.doc(responses={202: "Not finished yet: how far its job is"})
@raises(NotFound, AnalysisFailed, AnalysisCancelled)
def show_analysis(analysis_id: UUID, query: WaitQuery) -> Response:
    """Show an analysis; with `?wait=`, as soon as it is finished. 202 before that, with how far its job is."""
    caller = current_caller()
    if cache.get(analysis_id) is None:
        job = listing.find(caller, analysis_id, "read")
        if job.kind.startswith("analyze.") and job.status != "completed":
            body, final = answer_to(analysis_id, Deadline(wait_seconds(0)))
            return _answer(body, final=final, location=job_address(analysis_id))
    kept = require(caller, "read", cache.get(analysis_id))
    return _json(kept.body(cached=False))


@blueprint.delete("/api/v1/analyses/<uuid:analysis_id>")
@needs("write")
@blueprint.output({}, status_code=204)
@raises(NotFound)
def delete_analysis(analysis_id: UUID) -> tuple[str, int]:
    """Forget an analysis, in the cache too, and its pictures; its job keeps its own copy until it is deleted."""
    require(current_caller(), "delete", cache.get(analysis_id))
    cache.forget(analysis_id)
    return "", 204


@blueprint.get("/api/v1/cache/metrics")
@needs("read")
@blueprint.output(CacheMetricsOut)
def cache_metrics() -> CacheMetricsOut:
    """Say how often the caches had the answer."""
    configured = settings()
    return CacheMetricsOut(
        analysis_cache=_figures(_desk().counter, configured.cache_ttl),
        prediction_cache=_figures(serving().cache.counter, configured.cache_prediction_ttl),
    )


@blueprint.post("/api/v1/cache/metrics/reset")
@needs("admin")
@blueprint.output(CacheResetOut)
def reset_cache_metrics() -> CacheResetOut:
    """Count from zero again; the caches themselves stay."""
    _desk().counter.reset()
    serving().cache.counter.reset()
    return CacheResetOut()


def _figures(counter: HitCounter, ttl: int) -> CacheMetrics:
    counts = counter.read()
    return CacheMetrics(
        hits=counts.hits,
        misses=counts.misses,
        total_requests=counts.hits + counts.misses,
        hit_rate_percent=None if counts.rate is None else round(counts.rate * 100, 2),
        enabled=settings().cache_enabled and ttl > 0,
        ttl_seconds=ttl,
    )


def _taking(incoming: Incoming) -> Take:
    """How the contents of this request are taken in."""
    caller, correlation_id = current_caller(), current_request_id()
    webhook = webhook_of(caller, incoming.options.webhook_url, _place_of("webhook_url"))

    def take(source: Source, idempotency: Idempotency | None, batch_id: UUID | None) -> Kept | UUID:
        def asked() -> Asked:
            return ask(source.content(), incoming.options, caller, correlation_id, settings(), webhook)

        return _desk().take(asked, idempotency=idempotency, batch_id=batch_id)

    return take


def _place_of(name: str) -> str:
    """Where this request gives a field, as a problem names it."""
    if name in request.args:
        return "query"
    return "form" if "form" in request.mimetype else "body"


def _answer(body: dict[str, Any], *, final: bool, location: str, hit: bool | None = None) -> Response:
    response = _json(body)
    if hit is not None and not is_replayed():
        response.headers["X-Cache"] = "HIT" if hit else "MISS"
    if not final:
        response.status_code = 202
        response.headers["Location"] = location
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _json(body: dict[str, Any]) -> Response:
    """The body as it is: it was made from checked models, and checking it again would cost more than making it."""
    return Response(to_json(body), mimetype="application/json")


def _desk() -> Desk:
    return cast(Desk, current_app.extensions[EXTENSION])
