"""Health, readiness and metrics. They are here and not in `telemetry`, because some of them need a key."""

from __future__ import annotations

import hmac
from typing import Any, cast

from apiflask import APIBlueprint
from flask import Flask, Response, request
from flask.blueprints import BlueprintSetupState

from thetool.access.caller import current_caller, needs
from thetool.access.health_schemas import (
    ApiHealthOut,
    ApplicationMetricsOut,
    DetailedOut,
    HealthOut,
    LiveOut,
    MachineMetricsOut,
    ReadyOut,
    WorkersOut,
)
from thetool.config import Settings
from thetool.database import health as database_health
from thetool.telemetry import metrics, probe_metrics, reports
from thetool.telemetry.uptime import timestamp
from thetool.web.current import settings
from thetool.web.json_provider import to_json
from thetool.web.openapi import raises
from thetool.web.problems import Forbidden, NotFound, NotReady, Problem
from thetool.web.shortcut import answer_early

PROMETHEUS_TEXT: dict[int | str, Any] = {
    200: {"description": "Prometheus's text format", "content": {"text/plain": {"schema": {"type": "string"}}}}
}

blueprint = APIBlueprint("health", __name__, tag="Health")


class Unhealthy(Problem):
    """Something that the service cannot do without is away; `report` is the whole report."""

    status = 503
    code = "unhealthy"
    title = "The service is in a critical state"


@blueprint.record
def _join(state: BlueprintSetupState) -> None:
    """Watch the database, and answer the two paths that are asked most in front of Flask."""
    app = cast(Flask, state.app)
    configured: Settings = app.config["THETOOL_SETTINGS"]
    database_health.register(app)
    metrics.register_collector("probes", probe_metrics.collect)
    answer_early(app, "/health", lambda: to_json(reports.health(configured)))
    answer_early(app, "/health/live", lambda: to_json(reports.alive()))


@blueprint.get("/health")
@blueprint.output(HealthOut)
def health() -> reports.Report:
    """Say whether the service is well; always 200, `degraded` when something is away."""
    return reports.health(settings())


@blueprint.get("/health/live")
@blueprint.get("/api/v1/health/live")
@blueprint.get("/api/v1/live")
@blueprint.output(LiveOut)
def live() -> reports.Report:
    """Say that this process answers."""
    return reports.alive()


@blueprint.get("/health/ready")
@blueprint.get("/api/v1/health/ready")
@blueprint.get("/api/v1/ready")
@blueprint.output(ReadyOut)
@raises(NotReady)
def ready() -> reports.Report:
    """Say whether requests can be served: 503 while what they need is away."""
    missing = reports.missing()
    if missing:
        raise NotReady(f"Waiting for: {', '.join(missing)}", headers={"Retry-After": "2"}, waiting_for=missing)
    return {"status": "ready", "timestamp": timestamp()}


@blueprint.get("/api/v1/health")
@blueprint.output(ApiHealthOut)
def api_health() -> reports.Report:
    """Say whether the service is well, with its version and workers."""
    return reports.api_health(settings())


@blueprint.get("/health/detailed")
@needs("read")
@blueprint.output(DetailedOut)
@raises(Unhealthy)
def detailed() -> reports.Report:
    """Report on database, storage, queue, workers, memory and disk; 503 when critical."""
    report = reports.detailed(settings())
    if report["status"] == "critical":
        raise Unhealthy("; ".join(report["warnings"]), report=report)
    return report


@blueprint.get("/health/metrics")
@needs("read")
@blueprint.output(MachineMetricsOut)
def machine_metrics() -> reports.Report:
    """Measure the machine and the process that answers."""
    return reports.machine_metrics(settings())


@blueprint.get("/api/v1/metrics")
@needs("read")
@blueprint.output(ApplicationMetricsOut)
def application_metrics() -> reports.Report:
    """Give a few numbers of the service as JSON."""
    return reports.application_metrics(settings())


@blueprint.get("/api/v1/health/workers")
@blueprint.get("/api/v1/health/celery")
@needs("read")
@blueprint.output(WorkersOut)
def workers() -> reports.Report:
    """List the live workers of all copies of the service (`celery` is the older name)."""
    return reports.workers()


@blueprint.get("/metrics")
@blueprint.doc(responses=PROMETHEUS_TEXT)
@raises(Forbidden, NotFound)
def prometheus() -> Response:
    """Give Prometheus its metrics; needs the master key or `METRICS_TOKEN`."""
    if not settings().metrics_enabled:
        raise NotFound("Metrics are switched off (METRICS_ENABLED).")
    if not _has_metrics_token() and not current_caller().is_master:
        raise Forbidden("Metrics need the master key, or METRICS_TOKEN as a bearer token.")
    return Response(metrics.exposition(), content_type=metrics.MEDIA_TYPE)


def _has_metrics_token() -> bool:
    token = settings().metrics_token
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if token is None or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())
