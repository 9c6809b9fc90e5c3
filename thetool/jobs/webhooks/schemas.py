"""What the routes of deliveries answer."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field

from thetool.jobs.schemas import Moment, Status
from thetool.jobs.webhooks.payload import Event


class DeliveryErrorOut(BaseModel):
    """Why the last attempt did not succeed."""

    code: str = Field(examples=["webhook_status"])
    message: str


class DeliveryOut(BaseModel):
    """One delivery: a message to the job's webhook, with as many attempts as it took."""

    id: UUID = Field(description="Also the id of the job that delivers.")
    message_id: str = Field(description="Sent as `webhook-id`; the same when the same end is delivered again.")
    event: Event
    url: str
    status: Status = Field(description="`queued` waits for its next attempt; `completed` was taken by the receiver.")
    attempts: int
    max_attempts: int
    next_attempt_at: Moment | None = Field(description="Only while it is `queued`.")
    response_status: int | None = Field(description="What the receiver answered last, if it answered.")
    error: DeliveryErrorOut | None = Field(description="Of the last attempt that did not succeed.")
    created_at: Moment
    finished_at: Moment | None


class DeliveriesOut(BaseModel):
    """The last 100 deliveries of a job's ends, newest first."""

    items: list[DeliveryOut]
