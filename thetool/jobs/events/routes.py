"""`/api/v1/jobs/{id}/events` and `/ws/jobs/{id}`: what happens to a job, as it happens."""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from thetool.access.caller import Caller, InvalidKey, Unauthenticated, current_caller, require_scope
from thetool.jobs import listing
from thetool.jobs.events import sse, talk
from thetool.jobs.events.messages import END
from thetool.jobs.events.stream import Stream
from thetool.jobs.events.streams import LONGEST_SECONDS, TooManyStreams
from thetool.jobs.events.tickets import InvalidTicket, TicketExpired, caller_of_ticket, require_recent
from thetool.jobs.local import local
from thetool.jobs.snapshot import FINISHED
from thetool.telemetry.logs import bind
from thetool.web.current import settings
from thetool.web.links import absolute_url
from thetool.web.openapi import raises
from thetool.web.problems import Forbidden, NotFound, Problem, ValidationFailed
from thetool.web.request_id import current_request_id
from thetool.web.websocket import UpgradeRequired, WebSocketAnswer, caller_connection, require_upgrade

OPEN_BY_TICKET: list[Any] = [{"BearerAuth": []}, {"ApiKeyAuth": []}, {}]
EVENT_ANSWERS: dict[Any, Any] = {
    200: {"description": "The messages, as they come.", "content": {sse.MEDIA_TYPE: {"schema": {"type": "string"}}}},
    204: {"description": "You have the last message already; do not connect again."},
}
TALK_ANSWERS: dict[Any, Any] = {
    101: {"description": "The messages, each as JSON `{id, event, data}`; a refusal is one of them, then it closes."}
}

blueprint = APIBlueprint("job_events", __name__, tag="Jobs")
_place = re.compile(r"([0-9]{1,18})(-end)?", re.ASCII)


class EventsQuery(BaseModel):
    """Where to begin, and what opens the stream."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(
        None,
        max_length=30,
        description="Id of the last message that you have: what followed it is told again. `0` tells all from the "
        "job's beginning. The header `Last-Event-ID` says the same, and outranks it.",
    )
    ticket: str | None = Field(
        None,
        max_length=200,
        description="A ticket, as `events_url` and `websocket_url` carry it; then no key is needed.",
    )


@blueprint.get("/api/v1/jobs/<uuid:job_id>/events")
@blueprint.input(EventsQuery, location="query", arg_name="query")
@raises(Unauthenticated, InvalidKey, InvalidTicket, TicketExpired, Forbidden, NotFound, TooManyStreams)
@blueprint.doc(responses=EVENT_ANSWERS, security=OPEN_BY_TICKET)
def stream_events(job_id: UUID, query: EventsQuery) -> Response:
    """Follow a job by server-sent events.

    First a `snapshot`; then `progress` and `status` as they happen; at last `completed`, `failed` or `cancelled`, with
    links, and the stream ends. `Last-Event-ID` goes on where a connection broke. Comments are heartbeats. See
    docs/live.md.
    """
    after, had_the_end = _position(request.headers.get("Last-Event-ID") or query.after)
    status, seconds = _admit(job_id, query.ticket)
    if had_the_end and status in FINISHED:
        return Response(status=204)
    if request.method == "HEAD":
        return sse.empty_answer()
    stream = _open(job_id, after, seconds)
    return sse.answer_with(stream, _base(), caller_connection())


@blueprint.get("/ws/jobs/<uuid:job_id>", websocket=True)
@blueprint.get("/ws/jobs/<uuid:job_id>")  # for those who do not ask for a WebSocket: told that it is one
@blueprint.input(EventsQuery, location="query", arg_name="query")
@raises(UpgradeRequired)
@blueprint.doc(responses=TALK_ANSWERS, security=OPEN_BY_TICKET)
def talk_of_events(job_id: UUID, query: EventsQuery) -> Response:
    """Follow a job by WebSocket.

    The same messages as server-sent events, each as JSON. See docs/live.md.
    """
    require_upgrade()
    try:
        after, had_the_end = _position(query.after)
        status, seconds = _admit(job_id, query.ticket)
        stream = _open(job_id, None if had_the_end and status in FINISHED else after, seconds)
    except Problem as problem:
        return WebSocketAnswer(partial(talk.refuse, refused=problem, request_id=current_request_id()))
    return WebSocketAnswer(partial(talk.talk, stream=stream, base=_base()))


def _position(said: str | None) -> tuple[int | None, bool]:
    """The last event that the listener has, and whether it has had the end."""
    if said is None:
        return None, False
    place = _place.fullmatch(said)
    if place is None:
        where = "header" if request.headers.get("Last-Event-ID") else "query"
        name = "Last-Event-ID" if where == "header" else "after"
        raise ValidationFailed.of_fields([(name, "must be the id of a message of this stream", where)])
    return int(place[1]), place[2] == END


def _admit(job_id: UUID, ticket: str | None) -> tuple[str, float]:
    """The job's status, and for how long this caller may listen; the request's database session is given up."""
    caller, seconds = _listener(job_id, ticket)
    job = listing.find(caller, job_id, "read")
    if ticket is not None:
        require_recent(job.finished_at)
    local.release_session()
    bind(job_id=str(job_id))
    return job.status, seconds


def _listener(job_id: UUID, ticket: str | None) -> tuple[Caller, float]:
    if ticket is not None:
        return caller_of_ticket(settings(), job_id, ticket)
    caller = current_caller()
    require_scope(caller, "read")
    return caller, LONGEST_SECONDS


def _base() -> str:
    """What links begin with; a WebSocket came by `ws:`, and its links lead to `http:`."""
    base = absolute_url("")
    return "http" + base.removeprefix("ws") if base.startswith("ws") else base


def _open(job_id: UUID, after: int | None, seconds: float) -> Stream:
    return local.streams.open(job_id, settings(), after=after, seconds=seconds)
