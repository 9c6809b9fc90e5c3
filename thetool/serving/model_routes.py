"""`/api/v1/models`: making models, their files, validating, changing and deleting them."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from apiflask import APIBlueprint
from flask import Flask, request
from flask.blueprints import BlueprintSetupState

from thetool.access.caller import current_caller, needs
from thetool.access.policy import require
from thetool.config import Settings
from thetool.database.orm import db
from thetool.jobs.admission import NoWorker, QueueFull, QuotaExceeded
from thetool.jobs.idempotency import Idempotency
from thetool.jobs.repeats import repeatable, request_idempotency
from thetool.jobs.waiting import wait_for
from thetool.serving import files, models, state, validation
from thetool.serving.problems import FileNotTaken, ModelExists, ModelInUse, NothingToValidate, StatusNotEarned
from thetool.serving.runtime.problems import InvalidModel
from thetool.serving.schemas import (
    ModelIn,
    ModelOut,
    ModelPage,
    ModelPatch,
    ModelsQuery,
    UploadOut,
    UploadQuery,
    ValidationOut,
)
from thetool.serving.state import serving
from thetool.storage.problems import IncompleteUpload, StorageFull, StorageQuotaExceeded, StorageUnavailable
from thetool.telemetry.health import register_probe
from thetool.web.body_limit import limit_body
from thetool.web.current import settings
from thetool.web.openapi import described, raises
from thetool.web.pagination import page_of
from thetool.web.preferences import wait_seconds
from thetool.web.problems import NotFound, TooLarge, ValidationFailed
from thetool.web.request_id import current_request_id

FORM_BYTES = 64 * 1024
"""What a form may have around the file that is in it."""
DEFAULT_WAIT_SECONDS = 10.0

blueprint = APIBlueprint("models", __name__, url_prefix="/api/v1/models", tag="Models")

_FILE = {"type": "string", "format": "binary"}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": {"type": "object", "properties": {"file": _FILE}, "required": ["file"]}},
            "application/octet-stream": {"schema": _FILE},
        },
    }
}


@blueprint.record_once
def _prepare(setup: BlueprintSetupState) -> None:
    """An application that has these routes has what they need."""
    app = cast(Flask, setup.app)
    of = state.init_app(app, app.config["THETOOL_SETTINGS"])
    register_probe("models", of.figures)


@blueprint.post("")
@needs("write")
@blueprint.input(ModelIn, arg_name="wanted")
@blueprint.output(ModelOut, status_code=201)
@raises(ModelExists)
def create_model(wanted: ModelIn) -> tuple[ModelOut, int, dict[str, str]]:
    """Make a model, or a new version of one; its file comes next."""
    model = models.create(current_caller(), wanted)
    return models.told([model])[0], 201, {"Location": f"/api/v1/models/{model.id}"}


@blueprint.get("")
@needs("read")
@blueprint.input(ModelsQuery, location="query", arg_name="query")
@blueprint.output(ModelPage)
def list_models(query: ModelsQuery) -> ModelPage:
    """List your models, newest first."""
    caller = current_caller()
    if query.page is not None:
        rows, total = models.of_page(caller, query, query.page)
        return ModelPage(items=models.told(rows), page=query.page, page_size=query.page_size, total=total)
    page = page_of("models", models.after_cursor(caller, query), query)
    return ModelPage(items=models.told(page.items), next=page.next)


@blueprint.get("/<uuid:model_id>")
@needs("read")
@blueprint.output(ModelOut)
@raises(NotFound)
def show_model(model_id: UUID) -> ModelOut:
    """Show a model, with what it takes and gives."""
    return models.told([models.find(current_caller(), model_id)])[0]


@blueprint.patch("/<uuid:model_id>")
@needs("write")
@blueprint.input(ModelPatch, arg_name="wanted")
@blueprint.output(ModelOut)
@raises(NotFound, ModelExists, ModelInUse, StatusNotEarned)
def change_model(model_id: UUID, wanted: ModelPatch) -> ModelOut:
    """Change a model's words, batching or name; archive it, or take it out of the archive."""
    model = models.find(current_caller(), model_id, "write")
    models.change(model, wanted)
    serving().lookup.forget()
    if model.status == "archived":
        serving().drop(model_id)
    return models.told([model])[0]


@blueprint.delete("/<uuid:model_id>")
@needs("write")
@blueprint.output({}, status_code=204)
@raises(NotFound, ModelInUse)
def delete_model(model_id: UUID) -> tuple[str, int]:
    """Delete a model with its file, its predictions and all that is remembered of it; runs that have begun end well."""
    model = models.find(current_caller(), model_id, "delete")
    owner_id, sha256 = model.owner_id, model.file_sha256
    models.delete(model)
    serving().lookup.forget()
    serving().drop(model_id)
    if sha256 is not None:
        files.forget_unused(db.engine, owner_id, sha256.hex())
    return "", 204


@blueprint.post("/<uuid:model_id>/upload")
@needs("write")
@limit_body(lambda limits: limits.max_model_size_bytes + FORM_BYTES)
@blueprint.input(UploadQuery, location="query", arg_name="query")
@blueprint.output(UploadOut)
@described(_UPLOAD)
@raises(NotFound, FileNotTaken, InvalidModel, TooLarge, ValidationFailed)
@raises(StorageQuotaExceeded, StorageFull, IncompleteUpload, StorageUnavailable)
@raises(NothingToValidate, QueueFull, QuotaExceeded, NoWorker)
def upload_model(model_id: UUID, query: UploadQuery) -> tuple[UploadOut, int, dict[str, str]]:
    """Send a model's ONNX file: as the body, or as the field `file` of a form.

    A model without a file takes one, and so does one whose file is not validated yet, or could not be served. What is
    no ONNX by its first bytes is refused, and the model stays as it is. With `?validate=true` so is a file that cannot
    be served; the model then is `error`, and takes another one.
    """
    caller, limits = current_caller(), settings()
    model = require(caller, "write", serving().lookup.by_id(model_id))
    if model.status not in ("pending", "uploaded", "error"):
        raise FileNotTaken(f"The model is {model.status}, its file stays as it is; make a new version for another one.")
    stream, filename = _sent_file(limits)
    kept = files.take(
        db.engine,
        model,
        stream,
        max_bytes=limits.max_model_size_bytes,
        quota_bytes=caller.storage_quota_bytes,
        filename=filename,
    )
    serving().lookup.forget()
    answer = UploadOut(id=model_id, file_size_bytes=kept.size, file_hash=kept.sha256)
    if not query.validate_now:
        return answer, 200, {}
    answer.validation, status, headers = _validated(model_id)
    if answer.validation.status == "error":
        raise InvalidModel(answer.validation.error_message, model_status="error")
    answer.status, answer.message = answer.validation.status, answer.validation.error_message or "It is validated."
    return answer, status, headers


@blueprint.post("/<uuid:model_id>/validate")
@needs("write")
@repeatable
@blueprint.output(ValidationOut)
@blueprint.doc(responses={202: "It goes on: how far its job is"})
@raises(NotFound, NothingToValidate, QueueFull, QuotaExceeded, NoWorker)
def validate_model(model_id: UUID) -> tuple[ValidationOut, int, dict[str, str]]:
    """Look at a model's file in a process of its own: load it, try it, find out what it takes and gives.

    A file that cannot be served is the answer `valid: false`, with the reason. What takes longer than the wait is
    answered with 202 and its job.
    """
    return _validated(model_id, request_idempotency())


def _validated(model_id: UUID, idempotency: Idempotency | None = None) -> tuple[ValidationOut, int, dict[str, str]]:
    caller = current_caller()
    model = models.find(caller, model_id, "write")
    served = require(caller, "write", serving().lookup.read(model_id))
    job_id = validation.begin(settings(), caller, model, served.blob_id, current_request_id(), idempotency)
    serving().lookup.forget()
    wait_for(job_id, wait_seconds(DEFAULT_WAIT_SECONDS))
    serving().lookup.forget()
    told = models.told([models.find(caller, model_id)])[0]
    answer = ValidationOut(
        id=model_id,
        valid=None if told.status == "validating" else told.status == "ready",
        status=told.status,
        error_message=told.error_message,
        input_schema=told.input_schema,
        output_schema=told.output_schema,
        model_metadata=told.model_metadata,
        job_id=job_id,
    )
    if answer.valid is not None:
        return answer, 200, {}
    return answer, 202, {"Location": f"/api/v1/jobs/{job_id}", "Retry-After": "1"}


def _sent_file(limits: Settings) -> tuple[Any, str | None]:
    """The stream of the file that was sent, and its name."""
    if request.mimetype != "multipart/form-data":
        return request.stream, None
    file = request.files.get("file")
    if file is None:
        raise ValidationFailed.of_fields([("file", "is missing: the model's ONNX file", "form")])
    return file.stream, file.filename
