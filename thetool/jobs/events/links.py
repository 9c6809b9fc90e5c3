"""The addresses of a job's streams, with the ticket that opens them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from thetool.access.caller import current_caller
from thetool.jobs.events.tickets import make_ticket
from thetool.jobs.local import local


def stream_links(job_id: UUID, owner_id: UUID, address: Callable[[str], str]) -> dict[str, str]:
    """`events_url` and `websocket_url` of an unfinished job, each good by itself, as long as the present caller's key.

    `address` makes links out of paths.
    """
    ticket = make_ticket(local.settings, job_id, owner_id, current_caller().key_id)
    websocket = address(f"/ws/jobs/{job_id}?ticket={ticket}")
    return {
        "events_url": address(f"/api/v1/jobs/{job_id}/events?ticket={ticket}"),
        "websocket_url": "ws" + websocket.removeprefix("http"),
    }
