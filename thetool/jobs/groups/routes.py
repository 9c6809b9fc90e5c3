"""`/api/v1/batches`: jobs that were asked for together."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from thetool.access.caller import Caller, current_caller, needs
from thetool.jobs.groups import batches
from thetool.jobs.groups.schemas import BatchCancelledOut, BatchLinks, BatchOut
from thetool.jobs.local import local
from thetool.web.links import absolute_url
from thetool.web.openapi import raises
from thetool.web.problems import NotFound

blueprint = APIBlueprint("batches", __name__, url_prefix="/api/v1/batches", tag="Jobs")


@blueprint.get("/<uuid:batch_id>")
@needs("read")
@blueprint.output(BatchOut)
@raises(NotFound)
def show_batch(batch_id: UUID) -> BatchOut:
    """Show how a batch stands: counts, one progress, and what failed; its jobs are at `links.jobs`."""
    return BatchOut(**_shown(batch_id, _whose(current_caller())))


@blueprint.post("/<uuid:batch_id>/cancel")
@needs("write")
@blueprint.output(BatchCancelledOut, status_code=202)
@raises(NotFound)
def cancel_batch(batch_id: UUID) -> BatchCancelledOut:
    """Cancel what is unfinished of a batch; running jobs stop as soon as they can. Harmless when all is finished."""
    owner_id = _whose(current_caller())
    local.release_session()
    asked = batches.cancel_batch(local.queue, batch_id, owner_id)
    return BatchCancelledOut(**_shown(batch_id, owner_id), asked=asked)


def _whose(caller: Caller) -> UUID | None:
    return None if caller.is_master else caller.owner_id


def _shown(batch_id: UUID, owner_id: UUID | None) -> dict[str, Any]:
    state = batches.state_of(local.queue, batch_id, owner_id)
    if state is None:
        raise NotFound
    here = absolute_url(f"/api/v1/batches/{batch_id}")
    links = BatchLinks(
        self=here,
        jobs=absolute_url(f"/api/v1/jobs?batch_id={batch_id}"),
        cancel=None if state.finished_at else f"{here}/cancel",
    )
    failures = [failure._asdict() for failure in state.failures]
    return {**asdict(state), "status": state.status, "failures": failures, "links": links}
