"""Finding jobs for whoever asks; a stranger's jobs are not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import undefer

from thetool.access.caller import Caller
from thetool.access.policy import Action, require
from thetool.database.orm import db
from thetool.jobs.events.links import stream_links
from thetool.jobs.local import local
from thetool.jobs.records import Job
from thetool.jobs.schemas import JobLinks, JobOut, JobsQuery, JobSummaryOut, KindStatsOut
from thetool.jobs.snapshot import FINISHED
from thetool.jobs.told import further
from thetool.web.links import absolute_url


def jobs_after_cursor(caller: Caller, query: JobsQuery) -> Sequence[Job]:
    """The caller's jobs after the cursor, newest first, one more than the page holds."""
    wanted = _wanted(caller, query).order_by(Job.id.desc()).limit(query.limit + 1)
    after = query.after("jobs", UUID)
    if after is not None:
        wanted = wanted.where(Job.id < after)
    return db.session.scalars(wanted).all()


def jobs_of_page(caller: Caller, query: JobsQuery, page: int) -> tuple[Sequence[Job], int]:
    """The caller's jobs of a page by number, and how many there are in all."""
    wanted = _wanted(caller, query)
    total = db.session.scalar(select(func.count()).select_from(wanted.with_only_columns(Job.id).subquery()))
    rows = wanted.order_by(Job.id.desc()).limit(query.page_size).offset((page - 1) * query.page_size)
    return db.session.scalars(rows).all(), total or 0


def find(caller: Caller, job_id: UUID, action: Action, *, whole: bool = False) -> Job:
    """The job, when the caller may do this to it; `whole`: with `params` and `result`.

    Raises:
        NotFound: else.
    """
    wanted = select(Job).where(Job.id == job_id).execution_options(populate_existing=True)
    if whole:
        wanted = wanted.options(undefer(Job.params), undefer(Job.result))
    return require(caller, action, db.session.scalar(wanted))


def summaries(jobs: Sequence[Job]) -> list[JobSummaryOut]:
    """Jobs as lists show them."""
    gone = _inputs_gone(jobs)
    return [summary(job, runs_again=job.id not in gone) for job in jobs]


def summary(job: Job, address: Callable[[str], str] = absolute_url, *, runs_again: bool | None = None) -> JobSummaryOut:
    """A job as lists show it: the traceback is in the job itself.

    Args:
        job: the job.
        address: makes links out of paths.
        runs_again: whether it could, if it failed or was cancelled; None: not known, and not said.
    """
    values = _values(job, JobSummaryOut, address, runs_again=runs_again, without_traceback=True)
    return JobSummaryOut.model_validate(values)


def whole(job: Job) -> JobOut:
    """A job with all that the owner may see."""
    runs_again = not _inputs_gone([job])
    return JobOut.model_validate({**further(job), **_values(job, JobOut, absolute_url, runs_again=runs_again)})


def _inputs_gone(jobs: Sequence[Job]) -> set[UUID]:
    """Of some jobs of this session those that cannot run again, because what they were to analyze is deleted."""
    ids = [job.id for job in jobs if job.status in ("failed", "cancelled") and job.kind.startswith("analyze.")]
    if not ids:
        return set()
    cursor = db.session.connection().connection.cursor()
    try:
        return {job_id for (job_id,) in local.queue.connection.run("inputs_gone", {"ids": ids}, cursor=cursor)}
    finally:
        cursor.close()


def stats(caller: Caller, limit: int) -> list[KindStatsOut]:
    """How the newest `limit` jobs of the caller stand, by kind; of all owners for the master."""
    whose = None if caller.is_master else caller.owner_id
    rows = local.queue.connection.run("kind_figures", {"owner_id": whose, "limit": limit})
    figures = [(*counts, *(percentiles or (None, None))) for *counts, percentiles in rows]
    return [KindStatsOut(**dict(zip(KindStatsOut.model_fields, row, strict=True))) for row in figures]


def _wanted(caller: Caller, query: JobsQuery) -> Select[Job]:
    wanted = select(Job)
    if not caller.is_master:
        wanted = wanted.where(Job.owner_id == caller.owner_id)
    if query.owner_id is not None:
        wanted = wanted.where(Job.owner_id == query.owner_id)
    if query.kind is None:  # who asks for jobs asks neither how a webhook was told, nor what the service does by itself
        wanted = wanted.where(Job.delivery_of.is_(None), ~Job.kind.startswith("system."))
    if query.status is not None:
        wanted = wanted.where(Job.status == ("queued" if query.status == "pending" else query.status))
    if query.kind is not None:
        wanted = wanted.where(Job.kind == query.kind)
    if query.batch_id is not None:
        wanted = wanted.where(Job.batch_id == query.batch_id)
    if query.parent_id is not None:
        wanted = wanted.where(Job.parent_id == query.parent_id)
    return wanted


def _values(
    job: Job,
    model: type[JobSummaryOut],
    address: Callable[[str], str],
    *,
    runs_again: bool | None,
    without_traceback: bool = False,
) -> dict[str, Any]:
    values = {name: getattr(job, name) for name in model.model_fields if name != "links"}
    values["progress"] = min(max(job.progress, 0.0), 1.0)
    values["links"] = _links(job, address, runs_again=runs_again)
    if job.status in FINISHED:
        values["message"] = None  # what it was about to do
    if not isinstance(job.run_at, datetime) or job.run_at.year == datetime.max.year:
        values["run_at"] = None
    if job.error and without_traceback:
        values["error"] = {**job.error, "traceback": None}
    return values


def _links(job: Job, address: Callable[[str], str], *, runs_again: bool | None) -> JobLinks:
    here = address(f"/api/v1/jobs/{job.id}")
    if job.status in FINISHED:
        requeue = f"{here}/requeue" if runs_again and job.status != "completed" else None
        return JobLinks(self=here, result=f"{here}/result", requeue=requeue)
    streams = stream_links(job.id, job.owner_id, address)
    return JobLinks(self=here, result=f"{here}/result", cancel=f"{here}/cancel", **streams)
