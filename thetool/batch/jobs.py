"""The job that asks a model for each row of a file, in a process apart: it reads what strangers sent."""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from thetool.batch.problems import NoRowFits, UnfitColumns, UnfitModel
from thetool.batch.schemas import BatchOptions, BatchResult, OutputFormat
from thetool.jobs.context import JobContext
from thetool.jobs.local import local
from thetool.jobs.registry import job

KIND = "batch.predict"
TIMEOUT_SECONDS = 6 * 3600
MEMORY_MB = 3072
DISK_MB = 16_384
"""The file as it came, unpacked, in UTF-8, the result, and that a second time on its way to be stored."""
ENDINGS = (".gz", ".zip", ".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".ndjson", ".npy", ".npz")

PROBLEMS = (UnfitColumns, UnfitModel, NoRowFits)
"""Why a job fails, besides what may be wrong with any table; the same file would fail so again."""

_READ, _ASKED = 0.05, 0.9
# Who puts a failed job back needs its file; of a completed one nobody does.
_LET_GO = (
    "update blobs set expires_at = least(expires_at, now()) where id = %(id)s::uuid and owner_id = %(owner)s::uuid"
)


class Batch(BaseModel):
    """A file and the model that is asked for each of its rows, as both were when the job was made."""

    model_id: UUID
    model_name: str
    model_version: str
    model_file: UUID
    row_by_row: bool
    features: list[str] = []
    input: UUID
    filename: str | None
    options: BatchOptions
    run_bytes: int
    run_seconds: float
    keep_seconds: float


def _let_go(cursor: Any, context: JobContext, result: BatchResult) -> None:
    """Let the file that came be deleted, in the transaction that completes the job."""
    cursor.execute("select params->>'input' from jobs where id = %(id)s::uuid", {"id": str(context.job_id)})
    cursor.execute(_LET_GO, {"id": cursor.fetchone()[0], "owner": str(context.owner_id)})


@job(
    KIND,
    runs="process",
    timeout=TIMEOUT_SECONDS,
    max_attempts=2,
    memory_mb=MEMORY_MB,
    disk_mb=DISK_MB,
    on_finish=_let_go,
)
def predict_batch(context: JobContext, params: Batch) -> BatchResult:
    """Ask a model for each row of a file."""
    from thetool.batch.model import Asking
    from thetool.batch.opening import open_source
    from thetool.batch.run import Told, format_for, predict_file
    from thetool.batch.writers import MEDIA_TYPES
    from thetool.serving.runtime.sessions import open_session
    from thetool.settings.group import cores

    began = perf_counter()
    rows, model, target = Path("rows"), Path("model.onnx"), Path("result")
    context.progress(0.0, "reading", "Reading the file…")
    context.copy(params.input, rows)
    context.copy(params.model_file, model)
    threads = max(1, cores() // local.settings.workers)
    session = open_session(model, run_bytes=params.run_bytes, threads=threads, row_by_row=params.row_by_row)
    source = open_source(
        rows,
        params.filename,
        session.inputs,
        params.options,
        features=params.features,
        unpacked_bytes=8 * local.settings.max_table_bytes,
        tell=lambda done: context.progress(_READ * done),
    )
    kind = format_for(source, params.options.output_format, len(session.outputs))

    def watch(told: Told) -> None:
        failed = f", {told.failed:,} failed" if told.failed else ""
        part = _READ + (_ASKED - _READ) * source.fraction
        context.progress(part, "predicting", f"{told.rows:,} rows predicted{failed}…")

    asking = Asking(session, seconds=params.run_seconds, on_stuck=_give_up)
    try:
        told, columns = predict_file(source, asking, session.output_names, target, kind, watch)
    finally:
        asking.close()
    result = BatchResult(
        filename=_result_name(params.filename, kind),
        format=kind,
        rows=told.rows,
        failed_rows=told.failed,
        errors=told.errors,
        inputs=source.inputs,
        columns=columns,
        size=target.stat().st_size,
        notes=told.notes,
        model_seconds=round(asking.milliseconds / 1000, 3),
        elapsed_seconds=0,
    )
    context.progress(_ASKED, "storing", "Storing the result…")
    with target.open("rb") as file:
        result.file_id = context.store(
            file, media_type=MEDIA_TYPES[kind], filename=result.filename, keep_seconds=params.keep_seconds
        )
    result.elapsed_seconds = round(perf_counter() - began, 3)
    return result


def _give_up() -> None:
    """End the process: a run of the model goes on although it was told to stop, and nothing else is rid of it."""
    print("A run of the model took longer than PREDICT_TIMEOUT_SECONDS, and did not stop.", flush=True)  # noqa: T201
    os._exit(70)


def _result_name(filename: str | None, kind: OutputFormat) -> str:
    stem = filename or "rows"
    while (shorter := next((stem[: -len(end)] for end in ENDINGS if stem.lower().endswith(end)), "")) != "":
        stem = shorter
    return f"{stem}-predictions.{kind}"
