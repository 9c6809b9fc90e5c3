"""`…/predict`: asking models."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request

from thetool.access.caller import current_caller, needs
from thetool.access.policy import require
from thetool.serving import inputs
from thetool.serving.inputs import PredictIn
from thetool.serving.lookup import Served
from thetool.serving.predicting import Asked, Predicted, outputs_json, predict, require_ready, write_json
from thetool.serving.prediction_schemas import PredictOut
from thetool.serving.problems import ModelNotReady
from thetool.serving.runtime import npy
from thetool.serving.runtime.problems import (
    InvalidInput,
    ModelTooLarge,
    PredictionFailed,
    PredictionsBusy,
    PredictionTimedOut,
)
from thetool.serving.runtime.signature import likeliest
from thetool.serving.state import serving
from thetool.storage.problems import BlobLost, StorageUnavailable
from thetool.vision.problems import DamagedImage, DecoderUnavailable, DecodingTimedOut, ImageTooLarge
from thetool.web.openapi import described, raises
from thetool.web.problems import NotAcceptable, NotFound, TooLarge, UnsupportedMediaType, ValidationFailed
from thetool.web.request_id import current_request_id

blueprint = APIBlueprint("predictions", __name__, url_prefix="/api/v1/models", tag="Predictions")

_NPY = {"schema": {"type": "string", "format": "binary"}}
_OPERATION: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/PredictIn"}},
            npy.MEDIA_TYPE: _NPY,
            "multipart/form-data": {"schema": {"type": "object", "additionalProperties": _NPY["schema"]}},
            "image/*": _NPY,
            "text/plain": {"schema": {"type": "string"}},
        },
    },
    "responses": {
        "201": {
            "description": "The prediction; with `Accept: application/x-npy` one output as a .npy file "
            "(`?output=` names which)",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/PredictOut"}},
                npy.MEDIA_TYPE: _NPY,
            },
            "headers": {
                "X-Cache": {
                    "description": "HIT when an earlier prediction is the answer, else MISS.",
                    "schema": {"type": "string", "enum": ["HIT", "MISS"]},
                }
            },
        }
    },
}
asks = described(_OPERATION, PredictIn, PredictOut)
may_fail = raises(
    NotFound, ModelNotReady, ModelTooLarge, InvalidInput, PredictionFailed, PredictionTimedOut, PredictionsBusy,
    TooLarge, ValidationFailed, UnsupportedMediaType, NotAcceptable, BlobLost, StorageUnavailable,
    DamagedImage, ImageTooLarge, DecodingTimedOut, DecoderUnavailable,
)  # fmt: skip


@blueprint.post("/<uuid:model_id>/predict")
@needs("write")
@asks
@may_fail
def predict_by_id(model_id: UUID) -> Response:
    """Ask a model for a prediction."""
    return _answer(require(current_caller(), "read", serving().lookup.by_id(model_id)))


@blueprint.post("/by-name/<name>/predict")
@needs("write")
@asks
@may_fail
def predict_by_name(name: str) -> Response:
    """Ask what the alias `production` names, else the highest ready version."""
    return _answer(named(name, None))


@blueprint.post("/by-name/<name>/versions/<version>/predict")
@needs("write")
@asks
@may_fail
def predict_by_version(name: str, version: str) -> Response:
    """Ask a version: a number, an alias, or `latest`."""
    return _answer(named(name, version))


@blueprint.post("/by-name/<name>/aliases/<alias>/predict")
@needs("write")
@asks
@may_fail
def predict_by_alias(name: str, alias: str) -> Response:
    """Ask the version that an alias names; where another version has a share, that one now and then."""
    return _answer(named(name, alias))


def answer_of(name: str, reference: str | None) -> Response:
    """The answer of the caller's model of this name to the present request, for a route of another room."""
    response = _answer(named(name, reference))
    response.status_code = 200
    return response


def named(name: str, reference: str | None) -> Served:
    """The caller's model that a name and a version, alias or nothing lead to; NotFound else."""
    caller, lookup = current_caller(), serving().lookup
    route = lookup.by_name(caller.owner_id, name, reference)
    model = lookup.by_id(route.choose()) if route else None
    if route is not None and (model is None or (model.status != "ready" and model.id != route.model_id)):
        model = lookup.by_id(route.model_id)  # whoever was to have a share is not ready any more, or gone
    if model is None:
        what = repr(name[:60]) if reference is None else f"{name[:60]!r} that is {reference[:60]!r}"
        raise NotFound(f"You have no {'ready ' if reference is None else ''}model {what}.")
    return require(caller, "read", model)


def _answer(model: Served) -> Response:
    sent = inputs.read(request, model, require_ready(model), serving().pixels)
    asked = Asked(
        model,
        sent.feeds,
        skip_cache=sent.skip_cache,
        request_id=sent.request_id or current_request_id(),
        input_json=sent.input_json,
    )
    output = _output_wanted(model)
    predicted = predict(serving(), asked)
    if output is not None:
        response = Response(npy.write(predicted.outputs[output]), 201, mimetype=npy.MEDIA_TYPE)
    else:
        response = Response(write_json(_body(model, sent, predicted)), 201, mimetype="application/json")
    response.headers["X-Cache"] = "HIT" if predicted.cached else "MISS"
    return response


def _output_wanted(model: Served) -> str | None:
    """The output that is wanted as a .npy file; None where JSON is wanted."""
    best = request.accept_mimetypes.best_match(["application/json", npy.MEDIA_TYPE], "application/json")
    if best != npy.MEDIA_TYPE:
        return None
    outputs = require_ready(model).output_schema
    name = request.args.get("output") or (outputs[0].name if len(outputs) == 1 else "")
    spec = next((spec for spec in outputs if spec.name == name), None)
    if spec is None or not spec.is_tensor:
        there = ", ".join(repr(one.name) for one in outputs if one.is_tensor)
        raise NotAcceptable(f"A .npy file holds one output: name it with ?output=, one of {there or 'none'}.")
    return name


def _body(model: Served, sent: inputs.Sent, predicted: Predicted) -> dict[str, Any]:
    outputs = outputs_json(predicted.outputs)
    body = {
        "id": predicted.id,
        "model_id": model.id,
        "model_name": model.name,
        "model_version": model.version,
        "input_data": sent.input_data,
        "output_data": outputs,
        "inference_time_ms": round(predicted.milliseconds, 3),
        "cached": predicted.cached,
        "request_id": sent.request_id,
        "created_at": predicted.created_at,
    }
    if sent.instances is not None:
        body["output_data"], body["predictions"] = None, _by_row(outputs, sent.instances)
    if sent.signed and model.signature is not None:
        scores = model.signature.output_of(require_ready(model))
        body["labels"] = likeliest(predicted.outputs[scores.name], model.signature) if scores else None
    return body


def _by_row(outputs: dict[str, Any], rows: int) -> Any:
    """The outputs of each row; of one output alone, its values."""
    for name, output in outputs.items():
        if not hasattr(output, "__len__") or len(output) != rows:
            raise PredictionFailed(f"The output {name!r} has no row for each instance; send `input_data` instead.")
    if len(outputs) == 1:
        return next(iter(outputs.values()))
    columns = [_values(output) for output in outputs.values()]
    return [dict(zip(outputs, values, strict=True)) for values in zip(*columns, strict=True)]


def _values(output: Any) -> Any:
    """An output as its rows; numpy's integers as Python's, because one alone is nothing that `orjson` knows."""
    return output.tolist() if not isinstance(output, list) and output.dtype.kind in "iub" else output
