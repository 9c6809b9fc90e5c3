"""`POST /api/v1/jobs`: asking a model for a prediction that is made when there is room."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from pydantic import Field

from thetool.access.caller import current_caller, needs
from thetool.access.policy import require
from thetool.jobs import listing
from thetool.jobs.admission import NoWorker, QueueFull, QuotaExceeded
from thetool.jobs.local import local
from thetool.jobs.repeats import repeatable, request_idempotency
from thetool.jobs.schemas import JobOut
from thetool.jobs.submit import submit
from thetool.jobs.webhooks.asked import NoWebhookSecret, webhook_of
from thetool.serving import inputs
from thetool.serving.jobs import KIND, PRIORITIES, Prediction, Priority
from thetool.serving.predicting import require_ready
from thetool.serving.problems import ModelNotReady
from thetool.serving.runtime.checking import check_feeds
from thetool.serving.runtime.problems import InvalidInput
from thetool.serving.state import serving
from thetool.web.openapi import raises
from thetool.web.problems import NotFound, TooLarge, ValidationFailed
from thetool.web.request_id import current_request_id
from thetool.web.schemas import Input

blueprint = APIBlueprint("prediction_jobs", __name__, url_prefix="/api/v1/jobs", tag="Predictions")


class PredictionJobIn(Input):
    """A prediction to be made when there is room."""

    model_id: UUID = Field(description="The version to ask.")
    input_data: dict[str, object] = Field(description="Nested lists for each input, as in a prediction at once.")
    priority: Priority = Field("normal", description="Higher ones first.")
    webhook_url: str | None = Field(None, max_length=2000, description="Told when the job is finished, signed.")


@blueprint.post("")
@needs("write")
@repeatable
@blueprint.input(PredictionJobIn, arg_name="wanted")
@blueprint.output(JobOut, status_code=201)
@raises(NotFound, ModelNotReady, InvalidInput, ValidationFailed, TooLarge)
@raises(QueueFull, QuotaExceeded, NoWorker, NoWebhookSecret)
def submit_prediction(wanted: PredictionJobIn) -> tuple[JobOut, int, dict[str, str]]:
    """Ask a model for a prediction as a job; its inputs are checked now."""
    caller = current_caller()
    model = require(caller, "read", serving().lookup.by_id(wanted.model_id))
    found = require_ready(model)
    sent = inputs.of_json({"input_data": wanted.input_data}, found.input_schema)
    check_feeds(sent.feeds, found.input_schema)
    webhook = webhook_of(caller, wanted.webhook_url)
    local.release_session()
    made = submit(
        KIND,
        Prediction(model_id=model.id, input_data=wanted.input_data),
        owner_id=model.owner_id,
        title=f"{model.name} {model.version}",
        priority=PRIORITIES[wanted.priority],
        correlation_id=current_request_id(),
        idempotency=request_idempotency(),
        job_quota=caller.job_quota,
        webhook=webhook,
    )
    told = listing.whole(listing.find(caller, made.job_id, "read", whole=True))
    return told, 201, {"Location": f"/api/v1/jobs/{made.job_id}"}
