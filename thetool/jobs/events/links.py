"""The addresses of a job's streams, with the ticket that opens them."""

from __future__ import annotations

from uuid import UUID

from thetool.jobs.events.tickets import make_ticket
from thetool.web.current import settings
from thetool.web.links import absolute_url


def stream_links(job_id: UUID, owner_id: UUID) -> dict[str, str]:
    """`events_url` and `websocket_url` of an unfinished job; each opens by itself, with no key."""
    ticket = make_ticket(settings(), job_id, owner_id)
    websocket = absolute_url(f"/ws/jobs/{job_id}?ticket={ticket}")
    return {
        "events_url": absolute_url(f"/api/v1/jobs/{job_id}/events?ticket={ticket}"),
        "websocket_url": "ws" + websocket.removeprefix("http"),
    }
