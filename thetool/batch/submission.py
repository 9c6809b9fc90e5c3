"""From a request with a file to the job of a batch: the file is stored and the job made, or neither."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from uuid import UUID

import orjson
from flask import Request
from pydantic import Field, ValidationError
from sqlalchemy import select

from thetool.access.caller import Caller
from thetool.batch.jobs import KIND, Batch
from thetool.batch.schemas import BatchOptions
from thetool.config import Settings
from thetool.database.connection import DatabaseUnavailable
from thetool.database.orm import db
from thetool.jobs.idempotency import Idempotency, recall
from thetool.jobs.submit import submit
from thetool.jobs.webhooks.asked import webhook_of
from thetool.serving.jobs import PRIORITIES, Priority
from thetool.serving.lookup import Served
from thetool.serving.predicting import require_ready
from thetool.serving.records import Model
from thetool.serving.runtime.inspection import Found
from thetool.storage import blobs
from thetool.tables.reading.problems import EmptyTable
from thetool.web.problems import NotFound, UnsupportedMediaType, ValidationFailed

MEMORY_BYTES = 1 << 20
CHUNK_BYTES = 1 << 20
NOT_OPTIONS = frozenset({"wait", "filename"})
FEATURES = "feature_names"
NO_FILE = (
    "Send the file as the field `file` of a form (curl -F file=@NAME), or as the body with a Content-Type of its own."
)


class BatchIn(BatchOptions):
    """What may be said of a batch beside its file."""

    webhook_url: str | None = Field(None, max_length=2000, description="Told when the job is finished, signed.")
    priority: Priority = Field("normal", description="Higher ones first.")


@dataclass(frozen=True)
class Sent:
    """A file that came, and what was said of it."""

    file: BinaryIO
    filename: str | None
    media_type: str
    wanted: BatchIn
    size: int

    def digest(self, model: Served) -> bytes:
        """SHA-256 of what makes two requests the same."""
        self.file.seek(0)
        content = hashlib.file_digest(cast(Any, self.file), "sha256").hexdigest()
        asked = [str(model.id), content, self.wanted.model_dump(mode="json")]
        return hashlib.sha256(orjson.dumps(asked)).digest()


def read_request(request: Request) -> Sent:
    """The file and the options of a request: a form with the field `file`, or the file itself with them in the address.

    Raises:
        ValidationFailed: a field is wrong, or there is no file.
        UnsupportedMediaType: the body is declared as a form without files.
        EmptyTable: the file has not one byte.
    """
    is_form = request.mimetype == "multipart/form-data"
    if request.mimetype == "application/x-www-form-urlencoded":  # which curl says of every body
        raise UnsupportedMediaType(NO_FILE)
    fields: dict[str, Any] = {name: value for name, value in request.args.items() if name not in NOT_OPTIONS}
    file: Any
    if is_form:
        fields |= request.form.items()
        sent = request.files.get("file")
        if sent is None or len(request.files) > 1:
            raise ValidationFailed.of_fields([("file", "is wanted: one file with a row for each prediction", "form")])
        file, filename, media_type = sent.stream, sent.filename, sent.mimetype
    else:
        file = SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115  the request's, which ends with it
        while chunk := request.stream.read(CHUNK_BYTES):
            file.write(chunk)
        filename, media_type = request.args.get("filename"), request.mimetype
    try:
        wanted = BatchIn.model_validate(
            {name: value for name, value in fields.items() if value != "" or name == "quote"}
        )
    except ValidationError as error:
        raise ValidationFailed.of(error, "form" if is_form else "query", BatchIn) from None
    size = file.seek(0, 2)
    if not size:
        raise EmptyTable("The file is empty. Send one with a row at least.")
    return Sent(file, filename or None, media_type or "application/octet-stream", wanted, size)


def make_job(
    settings: Settings,
    caller: Caller,
    model: Served,
    sent: Sent,
    *,
    correlation_id: str,
    idempotency: Idempotency | None,
) -> UUID:
    """Store the file and make its job; a repeated request gets the first one's.

    Raises:
        ModelNotReady, NotFound: the model cannot be asked, or has no file any more.
        StorageQuotaExceeded, StorageFull, StorageUnavailable: the file cannot be kept.
        IdempotencyConflict, QueueFull, QuotaExceeded, NoWorker, NoWebhookSecret: no job can be made; nothing is left.
    """
    found = require_ready(model)
    if model.blob_id is None:
        raise NotFound("The model has no file.")
    if idempotency is not None and (first := recall(idempotency)) and first.job_id is not None and not first.gone:
        idempotency.on_replay()
        return first.job_id
    webhook = webhook_of(caller, sent.wanted.webhook_url)
    keep_seconds = settings.job_retention_days * 86_400
    features = _features(model, found)
    sent.file.seek(0)
    stored = blobs.store(
        sent.file,
        owner_id=model.owner_id,
        media_type=sent.media_type,
        filename=sent.filename,
        expires_at=datetime.now(UTC) + timedelta(seconds=keep_seconds),
        quota_bytes=caller.storage_quota_bytes,
    )
    params = Batch(
        model_id=model.id,
        model_name=model.name,
        model_version=model.version,
        model_file=model.blob_id,
        row_by_row=found.row_by_row,
        features=features,
        input=stored.id,
        filename=stored.filename,
        options=BatchOptions.model_validate(sent.wanted.model_dump(include=set(BatchOptions.model_fields))),
        run_bytes=settings.model_run_bytes,
        run_seconds=settings.predict_timeout_seconds,
        keep_seconds=keep_seconds,
    )
    try:
        made = submit(
            KIND,
            params,
            owner_id=model.owner_id,
            title=stored.filename or f"{model.name} {model.version}",
            priority=PRIORITIES[sent.wanted.priority],
            correlation_id=correlation_id,
            idempotency=idempotency,
            job_quota=caller.job_quota,
            webhook=webhook,
            concurrency_key=KIND,
            concurrency=max(1, settings.workers * settings.job_processes - 1),
        )
    except DatabaseUnavailable:  # the job may have been made all the same
        raise
    except BaseException:
        blobs.delete(stored.id)
        raise
    if not made.created:
        blobs.delete(stored.id)
    return made.job_id


def _features(model: Served, found: Found) -> list[str]:
    """The names that the model has for the columns of its input: what its owner said, else what is in its file."""
    metadata = db.session.scalar(select(Model.model_metadata).where(Model.id == model.id)) or {}
    names = metadata.get(FEATURES)
    if names is None and (text := found.custom_metadata.get(FEATURES)):
        try:
            names = orjson.loads(text)
        except orjson.JSONDecodeError:
            names = [name.strip() for name in text.split(",")]
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        return []
    return names
