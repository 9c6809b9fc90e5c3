"""Validating a model's file: a job in a process that may be killed, and what it means for the model."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from thetool.access.caller import Caller
from thetool.config import Settings
from thetool.database.orm import db
from thetool.jobs.context import JobContext
from thetool.jobs.idempotency import Idempotency, recall
from thetool.jobs.registry import job
from thetool.jobs.submit import submit
from thetool.serving.problems import NothingToValidate
from thetool.serving.records import Model
from thetool.serving.runtime.inspection import Found, inspect
from thetool.serving.runtime.problems import InvalidModel
from thetool.serving.runtime.signature import Signature

KIND = "serving.validate"
MEMORY_MB = 3072

# A validation of the same file that was put back after it failed counts, too.
_END = """
    update models set status = %(status)s, found = %(found)s, error_message = %(error_message)s,
        revision = revision + 1, updated_at = now()
    where validation_job_id = %(job_id)s::uuid and status in ('validating', 'error', 'uploaded')
"""


class File(BaseModel):
    """A file to look at."""

    model_id: UUID
    blob_id: UUID
    run_bytes: int
    signature: Signature | None = None


class Validation(BaseModel):
    """What was found; of a file that cannot be served, why."""

    valid: bool
    error_message: str | None = None
    found: Found | None = Field(None, description="What is in the file.")


def _keep(cursor: Any, context: JobContext, result: Validation) -> None:
    """Write what was found to the model, in the transaction that completes the job."""
    values = {
        "status": "ready" if result.valid else "error",
        "found": result.found.model_dump_json() if result.found else None,
        "error_message": result.error_message,
        "job_id": str(context.job_id),
    }
    cursor.execute(_END, values)


@job(KIND, runs="process", timeout=60, max_attempts=2, memory_mb=MEMORY_MB, on_finish=_keep)
def validate(context: JobContext, params: File) -> Validation:
    """Look at a model's file, load it and try it."""

    def stage(fraction: float, message: str) -> None:
        context.progress(fraction, "validating", message)

    with context.open(params.blob_id) as file:
        data = file.read()
    try:
        found = inspect(data, run_bytes=params.run_bytes, stage=stage)
    except InvalidModel as wrong:
        return Validation(valid=False, error_message=str(wrong))
    try:
        if params.signature is not None:
            params.signature.check(found)
    except ValueError as wrong:
        return Validation(valid=False, error_message=f"signature: {wrong}")
    return Validation(valid=True, found=found)


def begin(
    settings: Settings,
    caller: Caller,
    model: Model,
    blob_id: UUID | None,
    correlation_id: str | None,
    idempotency: Idempotency | None = None,
) -> UUID:
    """Let a model be validated; gives the id of the job, the first one's where the request is a repeated one.

    Raises:
        NothingToValidate: it has no file that waits for that.
        QueueFull, QuotaExceeded, NoWorker: no job can be made; nothing is changed then.
        IdempotencyConflict: the key was used for another request.
    """
    if idempotency is not None and (first := _first_job(idempotency)) is not None:
        return first
    if model.status not in ("uploaded", "error") or blob_id is None:
        raise NothingToValidate(_why_not(model))
    cursor = db.session.connection().connection.cursor()
    try:
        job_id = submit(
            KIND,
            File(
                model_id=model.id,
                blob_id=blob_id,
                run_bytes=settings.model_run_bytes,
                signature=Signature(**model.signature) if model.signature else None,
            ),
            owner_id=model.owner_id,
            title=f"{model.name} {model.version}",
            timeout=settings.model_validation_seconds,
            correlation_id=correlation_id,
            job_quota=caller.job_quota,
            idempotency=idempotency,
            dedupe_key=f"validate:{model.id}:{model.revision}",
            cursor=cursor,
        ).job_id
        model.status, model.validation_job_id, model.error_message = "validating", job_id, None
        model.revision += 1
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    return job_id


def _first_job(idempotency: Idempotency) -> UUID | None:
    """The job that an earlier request with the key made, if it is still there."""
    first = recall(idempotency)
    if first is None or first.gone:
        return None
    idempotency.on_replay()
    return first.job_id


def _why_not(model: Model) -> str:
    if model.file_sha256 is None:
        return "The model has no file yet; upload one: POST /api/v1/models/{id}/upload."
    return f"The model is {model.status}; only an uploaded file is validated, or one whose validation failed."
