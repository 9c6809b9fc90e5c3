"""`/api/v1/jobs/{id}/deliveries`: what became of a job's webhook."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from apiflask import APIBlueprint

from thetool.access.caller import current_caller, needs
from thetool.jobs import idempotency as keys
from thetool.jobs import listing
from thetool.jobs.idempotency import Idempotency
from thetool.jobs.local import local
from thetool.jobs.repeats import repeatable, request_idempotency
from thetool.jobs.routes import JobUnfinished
from thetool.jobs.snapshot import FINISHED
from thetool.jobs.webhooks import jobs as kinds
from thetool.jobs.webhooks.schemas import DeliveriesOut, DeliveryOut
from thetool.web.openapi import raises
from thetool.web.problems import Conflict, NotFound

blueprint = APIBlueprint("webhooks", __name__, url_prefix="/api/v1/jobs", tag="Webhooks")


class NoWebhook(Conflict):
    """The job was made without a `webhook_url`; there is nothing to deliver."""

    code = "no_webhook"
    title = "The job has no webhook"


@blueprint.get("/<uuid:job_id>/deliveries")
@needs("read")
@blueprint.output(DeliveriesOut)
@raises(NotFound)
def list_deliveries(job_id: UUID) -> DeliveriesOut:
    """List the deliveries of a job's webhook, newest first."""
    listing.find(current_caller(), job_id, "read")
    local.release_session()
    return DeliveriesOut(items=_deliveries(job_id))


@blueprint.post("/<uuid:job_id>/deliveries")
@needs("write")
@repeatable
@blueprint.output(DeliveryOut, status_code=202)
@raises(NotFound, NoWebhook, JobUnfinished)
def deliver_again(job_id: UUID) -> tuple[DeliveryOut, int]:
    """Deliver a finished job's webhook again; one that waits for its next attempt is sent now."""
    job = listing.find(current_caller(), job_id, "write")
    if job.webhook_url is None:
        raise NoWebhook("The job was made without a webhook_url.")
    if job.status not in FINISHED:
        raise JobUnfinished(f"The job is {job.status}; its end is delivered when it comes.")
    idempotency = request_idempotency()
    local.release_session()
    made = _delivered_again(job_id) if idempotency is None else _delivered_once(job_id, idempotency)
    found = next((delivery for delivery in _deliveries(job_id) if delivery.id == made), None)
    if found is None:
        raise NotFound("There were a hundred deliveries since.")
    return found, 202


def _delivered_again(job_id: UUID) -> UUID:
    """The delivery that tells the job's end once more."""
    made = local.queue.connection.run("deliver_again", {"id": job_id})
    if not made:
        raise JobUnfinished("The job was put back into the queue just now; its next end is delivered when it comes.")
    return UUID(str(made[0][0]))


def _delivered_once(job_id: UUID, idempotency: Idempotency) -> UUID:
    """The same, unless this was asked before: then what that led to."""
    with local.queue.connection.transaction():
        first = keys.remember(idempotency)
        if first is not None and first.job_id is not None and not first.gone:
            idempotency.on_replay()
            return first.job_id
        made = _delivered_again(job_id)
        keys.point_to(idempotency, made)
    return made


def _deliveries(job_id: UUID) -> list[DeliveryOut]:
    return [_shown(*row) for row in local.queue.connection.run("deliveries", {"id": job_id})]


def _shown(
    delivery_id: UUID,
    params: str,
    status: Any,
    attempts: int,
    max_attempts: int,
    run_at: Any,
    result: str | None,
    error: Any,
    created_at: Any,
    started_at: Any,
    finished_at: Any,
) -> DeliveryOut:
    told = kinds.Delivery.model_validate_json(params)
    return DeliveryOut(
        id=delivery_id,
        message_id=told.message_id,
        event=told.event,
        url=told.url,
        status=status,
        attempts=attempts,
        max_attempts=max_attempts,
        next_attempt_at=run_at if status == "queued" else None,
        response_status=orjson.loads(result)["status"] if result else error and error.get("response_status"),
        error=error,
        created_at=created_at,
        finished_at=finished_at,
    )
