"""`/api/v1/admin`: cleaning up by hand or by an outside cron, the schedules, and what they gathered."""

from __future__ import annotations

from apiflask import APIBlueprint

from thetool.access.caller import needs
from thetool.jobs.local import local
from thetool.jobs.schedules import housekeeping, statistics
from thetool.jobs.schedules.cleanup import Cleaned, cleanup
from thetool.jobs.schedules.schemas import (
    CleanupQuery,
    ScheduleOut,
    SchedulesOut,
    StatisticsOut,
    StatisticsQuery,
    StatisticsRowOut,
)
from thetool.web.current import settings
from thetool.web.openapi import raises
from thetool.web.problems import Problem

__all__ = ["housekeeping"]

CLEANUP_SECONDS = 25
"""Proxies give up after half a minute or a minute."""

blueprint = APIBlueprint("admin", __name__, url_prefix="/api/v1/admin", tag="Admin")


class CleanupIncomplete(Problem):
    """Some of what is over could not be removed; `removed` says what was, `failed` what was not, and why."""

    status = 503
    code = "cleanup_incomplete"
    title = "Not everything could be cleaned up"


@blueprint.post("/cleanup")
@needs("admin")
@blueprint.input(CleanupQuery, location="query", arg_name="query")
@blueprint.output(Cleaned)
@raises(CleanupIncomplete)
def clean_up(query: CleanupQuery) -> Cleaned:
    """Remove what is over (the service does so itself, every five minutes) and say what that was."""
    local.release_session()
    done = cleanup(settings(), dry_run=query.dry_run, seconds=CLEANUP_SECONDS)
    if done.failed:
        detail = "; ".join(f"{name} could not be removed" for name in done.failed)
        raise CleanupIncomplete(detail, removed=done.removed, failed=done.failed)
    return done


@blueprint.get("/schedules")
@needs("admin")
@blueprint.output(SchedulesOut)
def list_schedules() -> SchedulesOut:
    """List what happens by itself, and when."""
    rows = local.queue.connection.run("all_schedules")
    return SchedulesOut(items=[ScheduleOut(**dict(zip(ScheduleOut.model_fields, row, strict=True))) for row in rows])


@blueprint.get("/statistics")
@needs("admin")
@blueprint.input(StatisticsQuery, location="query", arg_name="query")
@blueprint.output(StatisticsOut)
def show_statistics(query: StatisticsQuery) -> StatisticsOut:
    """Say how many attempts at jobs ended in each hour, how, and how long they took."""
    rows = statistics.by_period(local.queue, query.period, query.hours * 3600)
    return StatisticsOut(items=[StatisticsRowOut(**row) for row in rows])
