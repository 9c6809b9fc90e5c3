"""`…/predictions` and `…/latency`: what models were asked, as a list and as CSV, and how quick they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response

from thetool.access.caller import current_caller, needs
from thetool.serving import history, history_export, models
from thetool.serving.prediction_schemas import (
    LatenciesOut,
    LatencyOut,
    LatencyQuery,
    PredictionOut,
    PredictionPage,
    PredictionsFilter,
    PredictionsQuery,
    VersionLatencyOut,
    VersionsPredictionsFilter,
    VersionsPredictionsQuery,
)
from thetool.serving.records import Model
from thetool.serving.state import serving
from thetool.web.openapi import described, raises
from thetool.web.pagination import page_of
from thetool.web.problems import NotFound

blueprint = APIBlueprint("prediction_history", __name__, url_prefix="/api/v1/models", tag="Predictions")

_CSV: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "The file, streamed: a line for each prediction, the newest first.",
            "content": {history_export.MEDIA_TYPE: {"schema": {"type": "string"}}},
        }
    }
}


@blueprint.get("/<uuid:model_id>/predictions")
@needs("read")
@blueprint.input(PredictionsQuery, location="query", arg_name="query")
@blueprint.output(PredictionPage)
@raises(NotFound)
def list_predictions(model_id: UUID, query: PredictionsQuery) -> PredictionPage:
    """List the predictions that a model made, newest first, as long as they are kept."""
    return _page([models.find(current_caller(), model_id)], query)


@blueprint.get("/by-name/<name>/predictions")
@needs("read")
@blueprint.input(VersionsPredictionsQuery, location="query", arg_name="query")
@blueprint.output(PredictionPage)
@raises(NotFound)
def list_predictions_by_name(name: str, query: VersionsPredictionsQuery) -> PredictionPage:
    """List the predictions that a model's versions made, newest first, as long as they are kept."""
    return _page(_versions(name, query.version), query)


@blueprint.get("/<uuid:model_id>/predictions.csv")
@needs("read")
@blueprint.input(PredictionsFilter, location="query", arg_name="wanted")
@described(_CSV)
@raises(NotFound)
def export_predictions(model_id: UUID, wanted: PredictionsFilter) -> Response:
    """Export all predictions that a model made as CSV, newest first, as long as they are kept."""
    model = models.find(current_caller(), model_id)
    return _exported([model], wanted, f"{model.name} {model.version}")


@blueprint.get("/by-name/<name>/predictions.csv")
@needs("read")
@blueprint.input(VersionsPredictionsFilter, location="query", arg_name="wanted")
@described(_CSV)
@raises(NotFound)
def export_predictions_by_name(name: str, wanted: VersionsPredictionsFilter) -> Response:
    """Export all predictions that a model's versions made as CSV, newest first, as long as they are kept."""
    return _exported(_versions(name, wanted.version), wanted, f"{name} {wanted.version or ''}".strip())


@blueprint.get("/<uuid:model_id>/latency")
@needs("read")
@blueprint.input(LatencyQuery, location="query", arg_name="query")
@blueprint.output(LatencyOut)
@raises(NotFound)
def show_latency(model_id: UUID, query: LatencyQuery) -> LatencyOut:
    """Say how quick a version was in the last hours, in all and along the time."""
    models.find(current_caller(), model_id)
    serving().history.flush()
    return history.latency_of(model_id, query.hours)


@blueprint.get("/by-name/<name>/latency")
@needs("read")
@blueprint.input(LatencyQuery, location="query", arg_name="query")
@blueprint.output(LatenciesOut)
@raises(NotFound)
def compare_latency(name: str, query: LatencyQuery) -> LatenciesOut:
    """Compare how quick the versions of a model were in the last hours."""
    found = _versions(name, None)
    serving().history.flush()
    figures = history.latencies_of([model.id for model in found], query.hours)
    versions = [VersionLatencyOut(model_id=one.id, version=one.version, **figures[one.id]) for one in found]
    return LatenciesOut(name=name, hours=query.hours, versions=versions)


def _versions(name: str, version: str | None) -> Sequence[Model]:
    """The caller's models of a name, the highest first, or that one version; NotFound where there are none."""
    found = models.versions_of(current_caller(), name)
    if version is not None:
        found = [model for model in found if model.version == version]
    if not found:
        raise NotFound(f"You have no model named {name[:60]!r}{f' {version}' if version else ''}.")
    return found


def _page(of: Sequence[Model], query: PredictionsQuery) -> PredictionPage:
    serving().history.flush()
    ids = [model.id for model in of]
    rows = history.listed(ids, query)
    if query.page is not None:
        total = history.count_of(ids, query)
        items = [PredictionOut.model_validate(row) for row in rows]
        return PredictionPage(items=items, page=query.page, page_size=query.page_size, total=total)
    page = page_of("predictions", rows, query)
    return PredictionPage(items=[PredictionOut.model_validate(row) for row in page.items], next=page.next)


def _exported(of: Sequence[Model], wanted: PredictionsFilter, title: str) -> Response:
    serving().history.flush()
    return history_export.answer(serving().database, of, wanted, title=title)
