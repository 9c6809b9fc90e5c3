"""How far a restyling is, in the words of `/transform/status` and `/ws/transform`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from thetool.jobs.events.messages import Message
from thetool.jobs.events.tickets import make_ticket
from thetool.jobs.local import local
from thetool.jobs.records import Job
from thetool.jobs.snapshot import FINISHED
from thetool.jobs.waiting import look_at
from thetool.restyle import records
from thetool.restyle.schemas import RestyleResult, TransformState
from thetool.storage.links import signed_path
from thetool.storage.state import storage

MESSAGES = {
    "queued": "Your transformation is queued…",
    "completed": "Your new room is ready!",
    "cancelled": "Cancelled by you.",
}
STAGES = ("analyzing", "generating", "transforming", "finalizing")
MASK_LINK_SECONDS = 3600
PONG = json.dumps({"type": "pong"})


def stage_of(status: str, stage: str | None) -> str:
    """The older word for how far it is: our stage while it runs, our status else."""
    if status == "running":
        return stage if stage in STAGES else "analyzing"
    return status


def state_of(job: Job, address: Callable[[str], str], key_id: UUID | None) -> TransformState:
    """The state of a job that was read whole; `address` makes links out of paths, `key_id` is the present caller's."""
    status, error = stage_of(job.status, job.stage), job.error or {}
    finished = job.status in FINISHED
    options = job.params["options"]
    ticket = None if finished else make_ticket(local.settings, job.id, job.owner_id, key_id)
    return TransformState(
        job_id=job.id,
        status=status,
        progress=1.0 if job.status == "completed" else min(max(job.progress, 0.0), 1.0),
        message=_message(status, job.message, error.get("message")),
        style=options["style"],
        created_at=job.created_at,
        updated_at=job.finished_at or job.started_at or job.created_at,
        attempts=job.attempts,
        max_attempts=job.max_attempts,
        estimated_time_remaining=None if finished else _remaining(job, options),
        preview_url=None if ticket is None else _preview_url(job.id, ticket, address),
        websocket_url=None if ticket is None else websocket_url(job.id, ticket, address),
        request={name: value for name, value in options.items() if name in job.params.get("given", [])},
        mask_url=_mask_url(job, address),
        result=None if job.status != "completed" else _result(job.result, address),
        error=error.get("message"),
        error_code=error.get("code"),
    )


def websocket_url(job_id: UUID, ticket: str, address: Callable[[str], str]) -> str:
    """Where the job is told by WebSocket, with the ticket that opens it."""
    return "ws" + address(f"/ws/transform/{job_id}?ticket={ticket}").removeprefix("http")


def in_older_words(
    job_id: UUID, owner_id: UUID, key_id: UUID | None, address: Callable[[str], str]
) -> Callable[[Message], Iterator[str]]:
    """What writes the messages of a job's stream as the older guide has them; outside of any request."""
    ticket = make_ticket(local.settings, job_id, owner_id, key_id)
    last: dict[str, Any] = {"status": "queued", "progress": 0.0}

    def write(message: Message) -> Iterator[str]:
        data = message.data
        if message.event == "problem":
            yield orjson.dumps({"type": "problem", "job_id": job_id, **data}).decode()
            return
        if message.event == "snapshot":
            yield orjson.dumps({"type": "connected", "job_id": job_id, "message": "Connected to job updates"}).decode()
        if message.event == "progress":
            last["status"] = stage_of("running", data["stage"])
        else:
            last["status"] = stage_of(data["status"], data["stage"])
        last["progress"] = 1.0 if last["status"] == "completed" else max(float(data["progress"]), 0.0)
        error = (data.get("error") or {}).get("message")
        told = {
            "job_id": job_id,
            **last,
            "message": _message(last["status"], data.get("message"), error),
            "timestamp": data.get("created_at") if message.event == "progress" else datetime.now(UTC),
        }
        if error:
            told |= {"error": error, "error_code": data["error"].get("code")}
        if last["status"] == "transforming" and (preview := _preview_url(job_id, ticket, address)):
            told["preview_url"] = preview
        if last["status"] == "completed":
            result = _result(look_at(job_id).result, address)
            told |= {"result": result.model_dump(mode="json"), "result_url": result.transformed_url}
        yield orjson.dumps(told, option=orjson.OPT_UTC_Z).decode()

    return write


def _mask_url(job: Job, address: Callable[[str], str]) -> str | None:
    mask = job.params.get("mask")
    return None if mask is None else address(signed_path(local.settings, UUID(mask), MASK_LINK_SECONDS))


def _result(stored: Any, address: Callable[[str], str]) -> RestyleResult:
    """What came of it, with links that can be opened as they stand."""
    return RestyleResult.model_validate(stored).reached_at(address)


def _message(status: str, message: str | None, error: str | None) -> str | None:
    if status == "failed":
        return f"Transformation failed: {error}"
    return MESSAGES.get(status) or message


def _preview_url(job_id: UUID, ticket: str, address: Callable[[str], str]) -> str | None:
    """The address of the last preview; another one for each, so that browsers show the new one."""
    step = records.preview_step(storage().engine, job_id)
    return None if step is None else address(f"/transform/preview/{job_id}?ticket={ticket}&step={step}")


def _remaining(job: Job, options: dict[str, Any]) -> float | None:
    if job.started_at is None or job.status != "running":
        return None
    elapsed = (datetime.now(UTC) - job.started_at).total_seconds()
    usual = records.usual_seconds(storage().engine, options["quality"], options["variations"])
    if usual is not None and usual > elapsed:
        return round(usual - elapsed, 1)
    return round(elapsed / job.progress - elapsed, 1) if job.progress > 0.1 else None
