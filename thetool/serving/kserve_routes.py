"""`/v2`: the Open Inference Protocol (KServe V2), as Triton, MLServer and their clients speak it.

Errors are problems as everywhere, with the member `error` that this protocol wants.
"""

from __future__ import annotations

import zlib
from typing import Any

import orjson
from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel

from thetool import __version__
from thetool.access.caller import current_caller, needs
from thetool.serving import models
from thetool.serving.decoding import decoding
from thetool.serving.predict_routes import may_fail, named
from thetool.serving.predicting import Asked, predict, require_ready
from thetool.serving.problems import ModelNotReady
from thetool.serving.runtime import kserve
from thetool.serving.runtime.kserve import EXTENSIONS, HEADER, InferIn, InferOut
from thetool.serving.state import serving
from thetool.telemetry import reports
from thetool.web.json_provider import to_json
from thetool.web.openapi import described, raises
from thetool.web.problems import MEDIA_TYPE, NotFound, NotReady, TooLarge, UnsupportedMediaType, ValidationFailed
from thetool.web.request_id import current_request_id

PLATFORM = "onnx_onnxv1"

blueprint = APIBlueprint("kserve", __name__, url_prefix="/v2", tag="KServe")

_INFER: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/InferIn"}},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    "responses": {
        "200": {
            "description": "The prediction; tensors that are wanted as bytes follow the JSON",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/InferOut"}}},
            "headers": {HEADER: {"description": "Bytes of JSON.", "schema": {"type": "integer"}}},
        }
    },
}


class ServerOut(BaseModel):
    """What serves here."""

    name: str = "thetool"
    version: str = __version__
    extensions: list[str] = EXTENSIONS


class LiveOut(BaseModel):
    """Whether it lives."""

    live: bool = True


class ReadyOut(BaseModel):
    """Whether requests can be served."""

    ready: bool = True


class ModelReadyOut(BaseModel):
    """Whether a model can be asked."""

    name: str
    ready: bool = True


class MetadataTensorOut(BaseModel):
    """An input or output; -1 is a free dimension."""

    name: str
    datatype: str
    shape: list[int]


class MetadataOut(BaseModel):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str = PLATFORM
    inputs: list[MetadataTensorOut]
    outputs: list[MetadataTensorOut]


@blueprint.after_app_request
def _say_error(response: Response) -> Response:
    """Give a problem the member that this protocol's clients read; also where there is no such route."""
    if response.mimetype == MEDIA_TYPE and request.path.startswith("/v2/"):
        problem = orjson.loads(response.get_data())
        response.set_data(to_json({"error": problem["detail"], **problem}))
    return response


@blueprint.get("")
@blueprint.output(ServerOut)
def show_server() -> ServerOut:
    """Say what serves here, and which extensions of the protocol."""
    return ServerOut()


@blueprint.get("/health/live")
@blueprint.output(LiveOut)
def live() -> LiveOut:
    """Say that the service lives."""
    return LiveOut()


@blueprint.get("/health/ready")
@blueprint.output(ReadyOut)
@raises(NotReady)
def ready() -> ReadyOut:
    """Say whether requests can be served: 503 while what they need is away."""
    if missing := reports.missing():
        raise NotReady(f"Waiting for: {', '.join(missing)}", headers={"Retry-After": "2"}, waiting_for=missing)
    return ReadyOut()


@blueprint.get("/models/<name>", defaults={"version": None})
@blueprint.get("/models/<name>/versions/<version>")
@needs("read")
@blueprint.output(MetadataOut)
@raises(NotFound, ModelNotReady)
def show_metadata(name: str, version: str | None) -> MetadataOut:
    """Say what a model takes and gives."""
    model = named(name, version)
    found = require_ready(model)
    versions = [one.version for one in models.versions_of(current_caller(), name) if one.status == "ready"]
    return MetadataOut(
        name=model.name,
        versions=versions,
        inputs=[MetadataTensorOut(**kserve.described(spec)) for spec in found.input_schema],
        outputs=[MetadataTensorOut(**kserve.described(spec)) for spec in found.output_schema],
    )


@blueprint.get("/models/<name>/ready", defaults={"version": None})
@blueprint.get("/models/<name>/versions/<version>/ready")
@needs("read")
@blueprint.output(ModelReadyOut)
@raises(NotFound, ModelNotReady)
def show_ready(name: str, version: str | None) -> ModelReadyOut:
    """Say whether a model can be asked: 409 where it cannot."""
    model = named(name, version)
    require_ready(model)
    return ModelReadyOut(name=model.name)


@blueprint.post("/models/<name>/infer", defaults={"version": None})
@blueprint.post("/models/<name>/versions/<version>/infer")
@needs("write")
@described(_INFER, InferIn, InferOut)
@may_fail
def infer(name: str, version: str | None) -> Response:
    """Ask a model for a prediction; its version may be a number, an alias, or `latest`."""
    model = named(name, version)
    found = require_ready(model)
    body, header_length = _body(), _header_length()
    with decoding(header_length or len(body)):
        asked = kserve.read(body, header_length, found.input_schema, found.output_schema)
    wanted = Asked(
        model,
        asked.feeds,
        skip_cache=asked.parameters.get("skip_cache") is True,
        request_id=(asked.id or current_request_id())[:100],
    )
    predicted = predict(serving(), wanted)
    answer, json_bytes = kserve.write(asked, model.name, model.version, predicted.outputs)
    response = Response(answer, mimetype="application/json")
    if any(asked.outputs.values()):
        response.mimetype = "application/octet-stream"
        response.headers[HEADER] = str(json_bytes)
    response.headers["X-Cache"] = "HIT" if predicted.cached else "MISS"
    return response


def _header_length() -> int | None:
    text = request.headers.get(HEADER)
    if text is None:
        return None
    if not (text.isdecimal() and text.isascii()) or len(text) > 12:
        raise ValidationFailed.of_fields([(HEADER, "is a number of bytes", "header")])
    return int(text)


def _body() -> bytes:
    """The body, as it was before the client compressed it; no larger than a body may be.

    A browser may send a form or a plain text from a foreign page without asking first; those are not taken.
    """
    if request.mimetype not in ("application/json", "application/octet-stream", ""):
        raise UnsupportedMediaType(f"Send application/json or application/octet-stream, not {request.mimetype}.")
    data = request.get_data()
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return data
    if encoding not in ("gzip", "deflate"):
        raise UnsupportedMediaType(f"The body is compressed by {encoding[:40]}; gzip and deflate are read.")
    limit = request.max_content_length or 0
    inflating = zlib.decompressobj(zlib.MAX_WBITS | 16 if encoding == "gzip" else zlib.MAX_WBITS)
    try:
        body = inflating.decompress(data, limit)
    except zlib.error as error:
        raise ValidationFailed.of_fields([("", f"the body is not {encoding}: {error}", "body")]) from None
    if inflating.unconsumed_tail or len(body) >= limit > 0:
        raise TooLarge(f"The body is larger than {limit - 1:,} bytes when it is unpacked.")
    if not inflating.eof:
        raise ValidationFailed.of_fields([("", f"the body is not all of its {encoding}", "body")])
    return body
