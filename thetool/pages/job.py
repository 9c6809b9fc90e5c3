"""One job: how far it is, what it was asked, what it gave or why it failed."""

from __future__ import annotations

from uuid import UUID

from flask.typing import ResponseReturnValue

from thetool.pages.layout import blueprint, page, signed_in


@blueprint.get("/jobs/<uuid:job_id>")
@signed_in
def job(job_id: UUID) -> ResponseReturnValue:
    """The page of one job; its script asks `/api/v1/jobs/{id}`, which also decides who may see it."""
    return page("job.html", script="job.js", job_id=job_id, here="pages.jobs")
