"""What may be said of a job when it is made, and the row that comes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from typing_extensions import TypedDict  # Pydantic reads these, and needs this one before Python 3.12

from thetool.database.ids import new_id
from thetool.jobs.claims import NewJob, Webhook
from thetool.jobs.payload import NotStorable, TooLargeToStore, clean, to_json_text
from thetool.jobs.registry import JobKind, Rate, check_attempts, check_keep, check_limits, check_timeout
from thetool.web.problems import TooLarge, ValidationFailed

DEDUPE_KEY_LIMIT = 255
TITLE_LIMIT = 255
LIMIT_KEY_LIMIT = 255


class JobOptions(TypedDict, total=False):
    """What may be said of any job; each has a default."""

    title: str | None
    """What people call it, such as the name of the file that was sent."""
    priority: int
    """Higher ones first; 0."""
    run_at: datetime | None
    """Not before then; knows its zone."""
    timeout: float | None
    """Seconds of one attempt, in place of the kind's own."""
    max_attempts: int | None
    """How often it is tried, in place of the kind's own."""
    expires_in: float | None
    """Seconds that the job and its result are kept after its end; else the kind's, else `JOB_RETENTION_DAYS`."""
    concurrency_key: str | None
    """Of the jobs with this key only so many run at a time; else the kind's name where the kind has a limit."""
    concurrency: int | None
    """How many that are; else as many as the kind says, else one."""
    rate_key: str | None
    """Of the jobs with this key only so many begin within a time; else the kind's name where the kind has a rate."""
    rate: Rate | None
    """So many in so many seconds; else the kind's. A job with a `rate_key` needs one of them."""
    webhook: Webhook | None
    """Who is told when the job is finished: `webhooks.asked.webhook_of(caller, url)`."""


class SubmitOptions(JobOptions, total=False):
    """What may be said of a job that stands by itself."""

    correlation_id: str | None
    """The request's id, for the log lines of the job."""
    batch_id: UUID | None
    """The batch that it belongs to."""
    dedupe_key: str | None
    """Names the job among the unfinished ones of its owner; `dedupe` says what a second one means."""


def new_job(kind: JobKind, params: BaseModel, owner_id: UUID, options: SubmitOptions | JobOptions) -> NewJob:
    """The row of a new job.

    Raises:
        TypeError: the parameters are of another kind's model, or there is no such option.
        ValueError: a number is out of bounds, or `run_at` knows no zone.
        ValidationFailed: the parameters cannot be stored (422).
        TooLarge: there is too much of them (413).
    """
    said: SubmitOptions = {**options}
    _check(said)
    timeout, attempts, expires_in = said.get("timeout"), said.get("max_attempts"), said.get("expires_in")
    title, dedupe_key = said.get("title"), said.get("dedupe_key")
    webhook = said.get("webhook")
    return NewJob(
        id=new_id(),
        kind=kind.name,
        queue=kind.queue,
        runs=kind.runs,
        params=_params_text(kind, params),
        owner_id=owner_id,
        timeout=kind.timeout if timeout is None else check_timeout(timeout),
        max_attempts=kind.max_attempts if attempts is None else check_attempts(attempts),
        correlation_id=said.get("correlation_id"),
        priority=said.get("priority", 0),
        run_at=said.get("run_at"),
        dedupe_key=None if dedupe_key is None else f"{owner_id}:{clean(dedupe_key, DEDUPE_KEY_LIMIT)}",
        batch_id=said.get("batch_id"),
        title=None if title is None else clean(title, TITLE_LIMIT),
        keep=kind.expires_in if expires_in is None else check_keep(expires_in),
        webhook_url=webhook.url if webhook else None,
        webhook_key_id=webhook.key_id if webhook else None,
        **_limits(kind, said),
    )


def _check(said: SubmitOptions) -> None:
    """What types alone would have found, where somebody heeds them: a word that is none, a moment without a zone."""
    if unknown := said.keys() - SubmitOptions.__optional_keys__:
        raise TypeError(f"a job has no option {', '.join(sorted(unknown))}")
    run_at = said.get("run_at")
    if run_at is not None and run_at.tzinfo is None:
        raise ValueError("run_at must know its zone, such as datetime.now(UTC)")


def _limits(kind: JobKind, said: SubmitOptions) -> dict[str, Any]:
    """What keeps a job waiting for others: named by its key, else by its kind."""
    concurrency, rate = said.get("concurrency") or kind.concurrency, said.get("rate") or kind.rate
    check_limits(concurrency, rate)
    concurrency_key = said.get("concurrency_key") or (kind.name if concurrency else None)
    rate_key = said.get("rate_key") or (kind.name if rate else None)
    if rate_key and not rate:
        raise ValueError(f"{kind.name}: a job with a rate_key needs a rate")
    return {
        "concurrency_key": concurrency_key and clean(concurrency_key, LIMIT_KEY_LIMIT),
        "concurrency_limit": (concurrency or 1) if concurrency_key else None,
        "rate_key": rate_key and clean(rate_key, LIMIT_KEY_LIMIT),
        "rate_limit": rate[0] if rate else None,
        "rate_seconds": rate[1] if rate else None,
    }


def _params_text(kind: JobKind, params: BaseModel) -> str:
    if not isinstance(params, kind.params_model):
        raise TypeError(f"{kind.name} takes {kind.params_model.__name__}, not {type(params).__name__}")
    try:
        return to_json_text(params)
    except TooLargeToStore as error:
        raise TooLarge(f"The parameters cannot be stored. {error}") from error
    except NotStorable as error:
        raise ValidationFailed.of_fields([("", f"The parameters cannot be stored. {error}", "body")]) from error
