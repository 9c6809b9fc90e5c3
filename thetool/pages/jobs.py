"""The live list of jobs."""

from __future__ import annotations

from flask import request
from flask.typing import ResponseReturnValue

from thetool.jobs.registry import kinds
from thetool.pages.layout import blueprint, page, signed_in

STATUSES = ("queued", "running", "completed", "failed", "cancelled")


@blueprint.get("/jobs")
@signed_in
def jobs() -> ResponseReturnValue:
    """The list's page; its script asks `/api/v1/jobs` with the filters of the address."""
    names = sorted(kind.name for kind in kinds())
    return page("jobs.html", script="jobs.js", statuses=STATUSES, kinds=names, chosen=request.args)
