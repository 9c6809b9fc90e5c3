"""The job that tells a receiver of another job's end; a trigger (migrations 0003 and 0008) makes it."""

from __future__ import annotations

import random
import time
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from thetool import __version__
from thetool.jobs.context import JobContext
from thetool.jobs.local import local
from thetool.jobs.registry import TransientError, job
from thetool.jobs.webhooks.asked import signing_secrets
from thetool.jobs.webhooks.payload import Event, message_body
from thetool.jobs.webhooks.post import Answer, post
from thetool.jobs.webhooks.signing import signed_headers
from thetool.web.outbound.addresses import AddressRefused, Target
from thetool.web.outbound.call import Unreachable

KIND = "webhooks.deliver"
GONE = 410

PAUSES_SECONDS = (10, 60, 300, 1800, 3600, 7200, 4 * 3600, 6 * 3600, 10 * 3600)
"""Between the attempts: about a day in all. A receiver that is down for the night still hears of it."""
LONGEST_PAUSE_SECONDS = 24 * 3600


class Delivery(BaseModel):
    """What to tell, and to whom. `message_id` is the same each time that this is told."""

    message_id: str
    event: Event
    job_id: UUID
    finished_at: datetime
    url: str
    key_id: UUID | None


class Delivered(BaseModel):
    """The receiver has taken it."""

    status: int
    seconds: float


class NotDelivered(TransientError):  # noqa: N818  reads as a sentence where it is raised
    """The receiver did not take it; it is told again later. `response_status` is what it answered, if it did."""

    def __init__(self, code: str, message: str, *, retry_after: float, response_status: int | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.code = code
        self.response_status = response_status


class ReceiverRefused(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The webhook leads to an address that webhooks do not reach."""

    code = "webhook_address_refused"


class ReceiverGone(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The receiver answered 410: it wants no more of this."""

    code = "webhook_gone"
    response_status = GONE


class SecretLost(Exception):  # noqa: N818  reads as a sentence where it is raised
    """No secret of the key is left to sign with."""

    code = "webhook_secret_lost"


@job(KIND, runs="network", timeout=60, max_attempts=len(PAUSES_SECONDS) + 1)
def deliver(context: JobContext, params: Delivery) -> Delivered:
    """Tell a receiver that a job is finished: any 2xx is well, 410 ends it, everything else is tried again."""
    secrets = signing_secrets(params.key_id)
    if not secrets:
        raise SecretLost("SECRET_KEY (or the master key) has changed: make the key a new webhook secret.")
    body = message_body(params.event, params.job_id, params.finished_at)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"TheTool/{__version__}",
        **signed_headers(params.message_id, int(time.time()), body, secrets),
    }
    began = time.monotonic()
    try:
        answer = post(Target.of(params.url), body, headers, private=local.settings.webhook_allow_private)
    except Unreachable as error:
        raise NotDelivered(f"webhook_{error.reason}", str(error), retry_after=_pause(context.attempt)) from error
    except AddressRefused as error:
        raise ReceiverRefused(f"The webhook's host {error}, which webhooks do not reach.") from error
    _judge(answer, context.attempt)
    return Delivered(status=answer.status, seconds=round(time.monotonic() - began, 3))


def _judge(answer: Answer, attempt: int) -> None:
    if 200 <= answer.status < 300:
        return
    if answer.status == GONE:
        raise ReceiverGone("The receiver answered 410 (gone): it is not told again.")
    said = f"The receiver answered {answer.status}."
    if 300 <= answer.status < 400:
        said = f"The receiver answered {answer.status}, a redirect; these are not followed: give the address itself."
    pause = max(_pause(attempt), min(answer.retry_after, LONGEST_PAUSE_SECONDS))
    raise NotDelivered("webhook_status", said, retry_after=pause, response_status=answer.status)


def _pause(attempt: int) -> float:
    """Seconds until the next attempt, a tenth more or less by chance, so that what failed together comes apart."""
    longest = PAUSES_SECONDS[min(attempt, len(PAUSES_SECONDS)) - 1]
    return longest * random.uniform(0.9, 1.1)  # noqa: S311  not a secret
