"""Predictions that are asked for now and made when there is room: as jobs."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from thetool.jobs.context import JobContext
from thetool.jobs.records import Job
from thetool.jobs.registry import TransientError, job
from thetool.jobs.told import also_tells
from thetool.serving import inputs
from thetool.serving.predicting import Asked, outputs_json, predict, require_ready, write_json
from thetool.serving.runtime.checking import check_feeds
from thetool.serving.runtime.problems import PredictionsBusy
from thetool.serving.state import serving
from thetool.web.problems import NotFound

KIND = "serving.predict"
PRIORITIES = {"low": -10, "normal": 0, "high": 10}

Priority = Literal["low", "normal", "high"]


class Prediction(BaseModel):
    """What a job asks of a model."""

    model_id: UUID
    input_data: dict[str, Any]


class PredictionResult(BaseModel):
    """What the model gave."""

    model_id: UUID
    prediction_id: UUID = Field(description="Its id in the model's history.")
    output_data: dict[str, Any]
    inference_time_ms: float
    cached: bool


@job(KIND, timeout=3600, max_attempts=4)
def predict_later(context: JobContext, params: Prediction) -> PredictionResult:
    """Ask a model."""
    of = serving()
    model = of.lookup.by_id(params.model_id)
    if model is None or model.owner_id != context.owner_id:
        raise NotFound("The model is not there any more.")
    found = require_ready(model)
    sent = inputs.of_json({"input_data": params.input_data}, found.input_schema)
    check_feeds(sent.feeds, found.input_schema)
    asked = Asked(model, sent.feeds, request_id=context.correlation_id)
    try:
        predicted = predict(of, asked)
    except PredictionsBusy as busy:
        raise TransientError(str(busy), retry_after=5) from None
    return PredictionResult(
        model_id=model.id,
        prediction_id=predicted.id,
        output_data=orjson.loads(write_json(outputs_json(predicted.outputs))),
        inference_time_ms=round(predicted.milliseconds, 3),
        cached=predicted.cached,
    )


def _as_modelforge(told: Job) -> dict[str, Any]:
    """ModelForge's names for what a job says."""
    result, error = told.result or {}, told.error or {}
    waited = (told.started_at - told.created_at).total_seconds() * 1000 if told.started_at else None
    return {
        "model_id": told.params.get("model_id"),
        "input_data": told.params.get("input_data"),
        "output_data": result.get("output_data"),
        "inference_time_ms": result.get("inference_time_ms"),
        "queue_time_ms": None if waited is None else round(waited, 3),
        "retries": max(0, told.attempts - 1),
        "max_retries": told.max_attempts - 1,
        "error_message": error.get("message"),
        "error_traceback": error.get("traceback"),
        "completed_at": told.finished_at,
    }


also_tells(KIND, _as_modelforge)
