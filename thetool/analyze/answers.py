"""From what became of a content to what the caller is told."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from thetool.analyze.cache import Kept
from thetool.analyze.jobs import CONTENT_KINDS
from thetool.jobs.events.links import stream_links
from thetool.jobs.waiting import JobSnapshot, wait_for
from thetool.web.links import absolute_url
from thetool.web.problems import Conflict, Problem, all_problems

RETRY_AFTER_SECONDS = 1
_TIMEOUT = "timeout"
_TOLD = (409, 415, 422, 503)
"""Problems with these statuses, when a job ends with one, are the request's: it holds no image, or its file is gone."""


class AnalysisFailed(Problem):
    """The job of an analysis failed; `code` says why, as the job does."""

    code = "analysis_failed"
    title = "The analysis failed"

    @classmethod
    def of(cls, job: JobSnapshot) -> AnalysisFailed:
        """The problem that tells of a failed job, with its code and its words."""
        error = job.error or {}
        problem = cls(error.get("message"), job_id=str(job.id))
        problem.code = error.get("code") or cls.code
        known = next((one for one in all_problems() if one.code == problem.code and one.status in _TOLD), None)
        if known is not None:
            problem.status, problem.title = known.status, known.title
        elif problem.code == _TIMEOUT:
            problem.status = 504
        return problem


class AnalysisCancelled(Conflict):
    """Somebody cancelled the job of the analysis."""

    code = "cancelled"
    title = "The analysis was cancelled"


class Deadline:
    """How long a request still wants to wait; shared by all files of a batch."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds."""
        return max(0.0, self._end - time.monotonic())


def answer_to(taken: Kept | UUID, deadline: Deadline) -> tuple[dict[str, Any], bool]:
    """The body of the answer, and whether it is final.

    Raises:
        AnalysisFailed, AnalysisCancelled: the job ended so.
    """
    if isinstance(taken, Kept):
        return taken.body(cached=True), True
    job = wait_for(taken, deadline.left)
    if job.status == "completed" and job.result is not None:
        return {**job.result, "created_at": job.created_at}, True
    if job.status == "failed":
        raise AnalysisFailed.of(job)
    if job.status == "cancelled":
        raise AnalysisCancelled(f"The job {job.id} was cancelled.", job_id=str(job.id))
    return _pending(job), False


def job_address(job_id: UUID) -> str:
    """The path of a job."""
    return f"/api/v1/jobs/{job_id}"


def _pending(job: JobSnapshot) -> dict[str, Any]:
    address = job_address(job.id)
    return {
        "id": job.id,
        "kind": CONTENT_KINDS[job.kind],
        "status": job.status,
        "stage": job.stage,
        "message": job.message,
        "progress": job.progress,
        "links": {
            "self": address,
            "cancel": f"{address}/cancel",
            "result": f"/api/v1/analyses/{job.id}",
            **stream_links(job.id, job.owner_id, absolute_url),
        },
        "created_at": job.created_at,
        "correlation_id": job.correlation_id,
    }
