"""`…/batches`: files of many rows through a model, as jobs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import request

from thetool.access.caller import current_caller, needs
from thetool.access.policy import require
from thetool.batch import told
from thetool.batch.schemas import BatchesOut, ModelBatchOut
from thetool.batch.submission import BatchIn, make_job, read_request
from thetool.jobs import listing
from thetool.jobs.admission import NoWorker, QueueFull, QuotaExceeded
from thetool.jobs.local import local
from thetool.jobs.repeats import repeatable, request_idempotency
from thetool.jobs.waiting import wait_for
from thetool.jobs.webhooks.asked import NoWebhookSecret
from thetool.serving.lookup import Served
from thetool.serving.predict_routes import named
from thetool.serving.problems import ModelNotReady
from thetool.serving.state import serving
from thetool.storage.problems import StorageFull, StorageQuotaExceeded, StorageUnavailable
from thetool.tables.reading.problems import EmptyTable
from thetool.web.body_limit import limit_body
from thetool.web.current import settings
from thetool.web.openapi import described, raises
from thetool.web.pagination import PageQuery, page_of
from thetool.web.preferences import wait_seconds
from thetool.web.problems import NotFound, TooLarge, UnsupportedMediaType, ValidationFailed
from thetool.web.request_id import current_request_id

FORM_BYTES = 1 << 20
"""So much of a form may be other than its file."""
Answer = tuple[ModelBatchOut, int, dict[str, str]]

blueprint = APIBlueprint("batch_predictions", __name__, url_prefix="/api/v1/models", tag="Predictions")

_FILE = {"type": "string", "format": "binary"}
_BATCH = {"$ref": "#/components/schemas/BatchIn"}
_FORM = {"allOf": [_BATCH, {"type": "object", "properties": {"file": _FILE}, "required": ["file"]}]}
_OPERATION: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "CSV, Parquet, JSON Lines or a `.npy` file, each also packed with gzip or zip: as the field "
        "`file` of a form with the options beside it, or as the body, with the options and `filename` in the address.",
        "content": {
            "multipart/form-data": {"schema": _FORM},
            "text/csv": {"schema": _FILE},
            "application/octet-stream": {"schema": _FILE},
        },
    },
    "responses": {
        "200": {"description": "It is finished: within the wait (`Prefer: wait=N` or `?wait=N`; by default none)"}
    },
}
asks = described(_OPERATION, BatchIn)
takes_a_table = limit_body(lambda limits: limits.max_table_bytes + FORM_BYTES)
may_fail = raises(
    NotFound, ModelNotReady, ValidationFailed, UnsupportedMediaType, EmptyTable, TooLarge, StorageQuotaExceeded,
    StorageFull, StorageUnavailable, QueueFull, QuotaExceeded, NoWorker, NoWebhookSecret,
)  # fmt: skip


@blueprint.post("/<uuid:model_id>/batches")
@needs("write")
@takes_a_table
@repeatable
@blueprint.output(ModelBatchOut, status_code=202)
@asks
@may_fail
def predict_file_by_id(model_id: UUID) -> Answer:
    """Ask a model for each row of a file, as a job.

    A row that fails fails alone, with its reason in the column `_error`. The result is kept as long as the job;
    `download_url` is a signed link to it.
    """
    return _submitted(require(current_caller(), "read", serving().lookup.by_id(model_id)))


@blueprint.post("/by-name/<name>/batches")
@needs("write")
@takes_a_table
@repeatable
@blueprint.output(ModelBatchOut, status_code=202)
@asks
@may_fail
def predict_file_by_name(name: str) -> Answer:
    """Ask what the alias `production` names for each row of a file, else the highest ready version."""
    return _submitted(named(name, None))


@blueprint.post("/by-name/<name>/versions/<version>/batches")
@needs("write")
@takes_a_table
@repeatable
@blueprint.output(ModelBatchOut, status_code=202)
@asks
@may_fail
def predict_file_by_version(name: str, version: str) -> Answer:
    """Ask a version for each row of a file: a number, an alias, or `latest`."""
    return _submitted(named(name, version))


@blueprint.post("/by-name/<name>/aliases/<alias>/batches")
@needs("write")
@takes_a_table
@repeatable
@blueprint.output(ModelBatchOut, status_code=202)
@asks
@may_fail
def predict_file_by_alias(name: str, alias: str) -> Answer:
    """Ask the version that an alias names for each row of a file."""
    return _submitted(named(name, alias))


@blueprint.get("/<uuid:model_id>/batches")
@needs("read")
@blueprint.input(PageQuery, location="query", arg_name="query")
@blueprint.output(BatchesOut)
@raises(NotFound)
def list_batches(model_id: UUID, query: PageQuery) -> BatchesOut:
    """List the batches of a model, newest first, as long as their jobs are kept."""
    page = page_of("batches", told.of_model(current_caller(), model_id, query), query)
    return BatchesOut(items=[told.told(job) for job in page.items], next=page.next)


def _submitted(model: Served) -> Answer:
    caller, seconds = current_caller(), wait_seconds(0)
    sent = read_request(request)
    idempotency = request_idempotency(lambda: sent.digest(model))
    job_id = make_job(settings(), caller, model, sent, correlation_id=current_request_id(), idempotency=idempotency)
    local.release_session()
    if seconds:
        wait_for(job_id, seconds)
    answer = told.told(listing.find(caller, job_id, "read", whole=True))
    headers = {"Location": f"/api/v1/jobs/{job_id}"}
    if answer.finished_at is not None:
        return answer, 200, headers
    return answer, 202, {**headers, "Retry-After": "1"}
