"""`/api/v1/jobs/{id}/events` and `/ws/jobs/{id}`: what happens to a job, as it happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, cast
from uuid import UUID

from apiflask import APIBlueprint
from flask import Flask, Response, current_app, request
from pydantic import BaseModel, ConfigDict, Field

from thetool.access.caller import (
    Caller,
    InvalidKey,
    Unauthenticated,
    current_caller,
    require_living_key,
    require_scope,
)
from thetool.jobs import listing
from thetool.jobs.events import sse, talk
from thetool.jobs.events.messages import microseconds
from thetool.jobs.events.stream import LONGEST_SECONDS, Listener, Stream
from thetool.jobs.events.streams import TooManyStreams
from thetool.jobs.events.tickets import InvalidTicket, TicketExpired, caller_of_ticket, require_recent
from thetool.jobs.local import local
from thetool.jobs.snapshot import FINISHED
from thetool.telemetry.logs import bind
from thetool.web.current import settings
from thetool.web.links import absolute_url
from thetool.web.openapi import raises
from thetool.web.problems import DatabaseAway, Forbidden, NotFound, Problem, ValidationFailed
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
_place = re.compile(r"([0-9]{1,18})(?:-end-([0-9]{1,18}))?", re.ASCII)


class EventsQuery(BaseModel):
    """Where to begin, and what opens the stream."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(
        None,
        max_length=60,
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
    after, end = _position(request.headers.get("Last-Event-ID") or query.after)
    ended, listener = admit(job_id, query.ticket, after)
    if end is not None and end == ended:
        return Response(status=204)
    if request.method == "HEAD":
        return sse.empty_answer()
    return sse.answer_with(open_stream(job_id, listener), base_address())


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
        after, _ = _position(query.after)
        _, listener = admit(job_id, query.ticket, after)
        stream = open_stream(job_id, listener)
    except Problem as problem:
        return WebSocketAnswer(partial(talk.refuse, refused=problem, request_id=current_request_id()))
    base = base_address()
    return WebSocketAnswer(partial(talk.talk, stream=stream, write=lambda message: [message.as_json(base).decode()]))


def _position(said: str | None) -> tuple[int | None, int | None]:
    """The last event that the listener has, and which end of the job, if it has had one."""
    if said is None:
        return None, None
    place = _place.fullmatch(said)
    if place is None:
        where = "header" if request.headers.get("Last-Event-ID") else "query"
        name = "Last-Event-ID" if where == "header" else "after"
        raise ValidationFailed.of_fields([(name, "must be the id of a message of this stream", where)])
    return int(place[1]), int(place[2]) if place[2] else None


def admit(job_id: UUID, ticket: str | None, after: int | None) -> tuple[int | None, Listener]:
    """Which end the job has now, and who listens; the request's database session is given up."""
    caller, seconds = caller_of(job_id, ticket)
    job = listing.find(caller, job_id, "read")
    if ticket is not None:
        require_recent(job.finished_at)
    local.release_session()
    bind(job_id=str(job_id))
    ended = microseconds(job.finished_at) if job.finished_at and job.status in FINISHED else None
    return ended, Listener(after, seconds, caller_connection(), _may_go_on(caller))


def caller_of(job_id: UUID, ticket: str | None) -> tuple[Caller, float]:
    """Who listens, and for how many seconds at most."""
    if ticket is None:
        caller = current_caller()
        require_scope(caller, "read")
        return caller, LONGEST_SECONDS
    caller, seconds = caller_of_ticket(settings(), job_id, ticket)
    if caller.key_id is not None:
        try:
            require_living_key(caller.key_id)
        except InvalidKey:
            raise InvalidTicket("The key that it was made for has ended.") from None
    return caller, seconds


def _may_go_on(caller: Caller) -> Callable[[], bool]:
    """Whether the caller's key is still good; asked outside of any request."""
    key_id = caller.key_id
    if key_id is None:
        return lambda: True
    app: Flask = cast(Any, current_app)._get_current_object()

    def ask() -> bool:
        with app.app_context():
            try:
                require_living_key(key_id)
            except InvalidKey:
                return False
            except DatabaseAway:  # nobody can tell
                return True
        return True

    return ask


def open_stream(job_id: UUID, listener: Listener) -> Stream:
    """Begin to tell of a job; whoever gets the stream must close it. Raises TooManyStreams."""
    return local.streams.open(job_id, settings(), listener)


def base_address() -> str:
    """What links begin with; a WebSocket came by `ws:`, and its links lead to `http:`."""
    base = absolute_url("")
    return "http" + base.removeprefix("ws") if base.startswith("ws") else base
