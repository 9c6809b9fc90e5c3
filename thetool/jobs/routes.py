"""`/api/v1/jobs`: the caller's jobs, whatever their kind."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import has_app_context
from flask.blueprints import BlueprintSetupState

from thetool.access.caller import current_caller, needs
from thetool.database.orm import db
from thetool.jobs import listing
from thetool.jobs.admission import QueueFull, QuotaExceeded, admit_again
from thetool.jobs.groups import requeue
from thetool.jobs.inputs import InputGone
from thetool.jobs.local import local
from thetool.jobs.records import Job
from thetool.jobs.registry import UnknownKind, get_kind
from thetool.jobs.schemas import (
    JobOut,
    JobPageOut,
    JobResultOut,
    JobsQuery,
    JobStatsOut,
    RequeuedOut,
    RequeueIn,
    StatsQuery,
    WaitQuery,
)
from thetool.jobs.snapshot import FINISHED
from thetool.jobs.submit import DuplicateJob
from thetool.jobs.told import further
from thetool.jobs.waiting import wait_for
from thetool.web.openapi import raises
from thetool.web.pagination import page_of
from thetool.web.preferences import wait_seconds
from thetool.web.problems import Conflict, NotFound

RETRY_AFTER = {"Retry-After": "1"}

blueprint = APIBlueprint("jobs", __name__, url_prefix="/api/v1/jobs", tag="Jobs")


class JobFinished(Conflict):
    """The job is finished; there is nothing left to cancel."""

    code = "job_finished"
    title = "The job is finished already"


class JobNotFailed(Conflict):
    """The job neither failed nor was cancelled, so there is nothing to put back."""

    code = "job_not_failed"
    title = "The job did not fail"


class JobUnfinished(Conflict):
    """The job is not finished; cancel it first."""

    code = "job_unfinished"
    title = "The job is not finished"


@blueprint.record
def _join(state: BlueprintSetupState) -> None:
    """Let the queue know this application's settings, and how to give up a request's connection while it waits."""
    local.configure(state.app.config["THETOOL_SETTINGS"])
    local.release_session = _release_session


@blueprint.get("")
@needs("read")
@blueprint.input(JobsQuery, location="query", arg_name="query")
@blueprint.output(JobPageOut)
def list_jobs(query: JobsQuery) -> JobPageOut:
    """List your jobs, newest first."""
    caller = current_caller()
    if query.page is not None:
        rows, total = listing.jobs_of_page(caller, query, query.page)
        items = listing.summaries(rows)
        return JobPageOut(items=items, page=query.page, page_size=query.page_size, total=total)
    page = page_of("jobs", listing.jobs_after_cursor(caller, query), query)
    return JobPageOut(items=listing.summaries(page.items), next=page.next)


@blueprint.get("/<uuid:job_id>")
@needs("read")
@blueprint.input(WaitQuery, location="query", arg_name="query")
@blueprint.output(JobOut)
@raises(NotFound)
def show_job(job_id: UUID, query: WaitQuery) -> tuple[JobOut, int, dict[str, str]]:
    """Show a job; with `?wait=`, as soon as it is finished."""
    job = _awaited(job_id)
    return listing.whole(job), 200, {} if job.status in FINISHED else RETRY_AFTER


@blueprint.get("/<uuid:job_id>/result")
@needs("read")
@blueprint.input(WaitQuery, location="query", arg_name="query")
@blueprint.output(JobResultOut)
@blueprint.doc(responses={202: "Not finished yet"})
@raises(NotFound)
def show_result(job_id: UUID, query: WaitQuery) -> tuple[JobResultOut, int, dict[str, str]]:
    """Give the result alone: 202 while there is none yet."""
    job = _awaited(job_id)
    if job.status not in FINISHED:
        waiting = JobResultOut(job_id=job.id, status=job.status, message="Job is still processing")
        return waiting, 202, RETRY_AFTER
    error = job.error or {}
    result = JobResultOut(
        job_id=job.id,
        status=job.status,
        result=job.result,
        error_message=error.get("message"),
        error_traceback=error.get("traceback"),
        completed_at=job.finished_at,
        **{name: value for name, value in further(job).items() if name not in JobResultOut.model_fields},
    )
    return result, 200, {}


@blueprint.post("/<uuid:job_id>/cancel")
@needs("write")
@blueprint.output(JobOut, status_code=202)
@raises(NotFound, JobFinished)
def cancel_job(job_id: UUID) -> tuple[JobOut, int]:
    """Cancel a job: a waiting one at once (200), a running one as soon as it can stop (202)."""
    caller = current_caller()
    listing.find(caller, job_id, "write")
    local.release_session()
    status = local.queue.cancel(job_id)
    job = listing.find(caller, job_id, "write", whole=True)
    if status is None:
        raise JobFinished(f"The job is {job.status}; there is nothing left to cancel.")
    return listing.whole(job), 200 if status == "cancelled" else 202


@blueprint.post("/<uuid:job_id>/requeue")
@needs("write")
@blueprint.output(JobOut)
@raises(NotFound, JobNotFailed, DuplicateJob, InputGone, QueueFull, QuotaExceeded)
def requeue_job(job_id: UUID) -> JobOut:
    """Put a job that failed or was cancelled back into the queue, with all its attempts."""
    caller = current_caller()
    found = listing.find(caller, job_id, "write")
    local.release_session()
    admit_again(1, found.owner_id, caller.job_quota)
    try:
        done = requeue.requeue(local.queue, job_id)
    except requeue.EqualIsUnfinished:
        raise DuplicateJob("A job with the same dedupe_key is unfinished.") from None
    except requeue.InputIsGone:
        raise InputGone(
            "The file was not kept after the job ended, so it cannot run again: send the file again."
        ) from None
    job = listing.find(caller, job_id, "write", whole=True)
    if not done:
        raise JobNotFailed(f"The job is {job.status}; only what failed or was cancelled is put back.")
    return listing.whole(job)


@blueprint.post("/requeue")
@needs("write")
@blueprint.input(RequeueIn, arg_name="wanted")
@blueprint.output(RequeuedOut)
@raises(UnknownKind, QueueFull, QuotaExceeded)
def requeue_jobs(wanted: RequeueIn) -> RequeuedOut:
    """Put failed jobs of a kind back into the queue, up to 1,000 at a time; says how many are left."""
    caller = current_caller()
    local.release_session()
    owner_id = None if caller.is_master else caller.owner_id
    done = requeue.requeue_kind(
        local.queue,
        wanted.kind,
        owner_id,
        wanted.limit,
        admit=lambda number: admit_again(number, caller.owner_id, caller.job_quota),
    )
    if not done.requeued + done.left and wanted.kind not in local.queue.offered_kinds():
        get_kind(wanted.kind)  # one that is offered elsewhere, or was until lately, need not be known here
    return RequeuedOut(requeued=done.requeued, left=done.left)


@blueprint.get("/stats")
@needs("read")
@blueprint.input(StatsQuery, location="query", arg_name="query")
@blueprint.output(JobStatsOut)
def show_stats(query: StatsQuery) -> JobStatsOut:
    """Count the newest jobs by kind and status, and say how long completed ones ran."""
    caller = current_caller()
    local.release_session()
    return JobStatsOut(kinds=listing.stats(caller, query.limit))


@blueprint.delete("/<uuid:job_id>")
@needs("write")
@blueprint.output({}, status_code=204)
@raises(NotFound, JobUnfinished)
def delete_job(job_id: UUID) -> tuple[str, int]:
    """Delete a finished job with its result."""
    job = listing.find(current_caller(), job_id, "delete")
    if job.status not in FINISHED:
        raise JobUnfinished(f"The job is {job.status}; cancel it first.")
    local.release_session()
    local.queue.delete(job_id)
    return "", 204


def _awaited(job_id: UUID) -> Job:
    """The caller's job, as soon as it is finished or the caller's patience is at an end."""
    caller = current_caller()
    seconds = wait_seconds(0)
    job = listing.find(caller, job_id, "read", whole=seconds == 0)
    if seconds == 0:
        return job
    if job.status not in FINISHED:
        wait_for(job_id, seconds)
    return listing.find(caller, job_id, "read", whole=True)


def _release_session() -> None:
    if has_app_context() and db.session.registry.has():  # asking for one that is not there would make it
        db.session.close()
