"""`/transform`: a photo of a room in another style."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from thetool.access.caller import Caller, InvalidKey, Unauthenticated, current_caller, needs
from thetool.access.policy import Action
from thetool.jobs import listing
from thetool.jobs.admission import NoWorker, QueueFull, QuotaExceeded
from thetool.jobs.events import talk
from thetool.jobs.events.routes import OPEN_BY_TICKET, admit, base_address, caller_of, open_stream
from thetool.jobs.events.tickets import InvalidTicket, TicketExpired, make_ticket
from thetool.jobs.local import local
from thetool.jobs.records import Job
from thetool.jobs.repeats import repeatable, request_idempotency
from thetool.jobs.routes import JobFinished
from thetool.restyle import records
from thetool.restyle.availability import how_to, is_available, require_somebody
from thetool.restyle.intake import read_request
from thetool.restyle.jobs import KIND
from thetool.restyle.options import Options
from thetool.restyle.previews import MEDIA_TYPE as PREVIEW_MEDIA_TYPE
from thetool.restyle.problems import MaskDoesNotFit, RestyleUnavailable, StylesUnreadable, UnfitPhoto, UnknownStyle
from thetool.restyle.schemas import CancelledOut, StatusOut, StyleOut, StylesOut, SubmittedOut
from thetool.restyle.states import PONG, in_older_words, state_of, websocket_url
from thetool.restyle.styles import styles
from thetool.restyle.submission import estimated_seconds, make_job
from thetool.storage.problems import StorageFull, StorageQuotaExceeded, StorageUnavailable
from thetool.storage.state import storage
from thetool.vision.problems import DamagedImage, DecoderUnavailable, DecodingTimedOut, ImageTooLarge
from thetool.web.current import settings
from thetool.web.links import absolute_url
from thetool.web.openapi import described, raises
from thetool.web.problems import NotFound, Problem, TooLarge, UnsupportedMediaType, ValidationFailed
from thetool.web.request_id import current_request_id
from thetool.web.websocket import UpgradeRequired, WebSocketAnswer, require_upgrade

blueprint = APIBlueprint("restyle", __name__, tag="Restyle")

_FILE = {"type": "string", "format": "binary"}
_PREFERENCES = {"type": "string", "description": "The same fields as one JSON object, as older clients send them."}
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {**_FILE, "description": "The photo."},
        "mask": {**_FILE, "description": "A picture as large as the photo: only what is white in it is painted anew."},
        **Options.model_json_schema()["properties"],
        "preferences": _PREFERENCES,
    },
}
_OPERATION = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}}
_PREVIEW: dict[Any, Any] = {200: {"description": "A small JPEG.", "content": {PREVIEW_MEDIA_TYPE: {}}}}
_TALK: dict[Any, Any] = {101: {"description": "`{job_id, status, progress, message, timestamp}` as it happens."}}


class TicketQuery(BaseModel):
    """What opens a stream or a preview."""

    model_config = ConfigDict(extra="forbid")

    ticket: str | None = Field(None, max_length=200, description="As the links carry it; then no key is needed.")
    step: int | None = Field(None, description="Ignored: it makes the address of each preview another one.")


@blueprint.post("/transform/submit")
@needs("write")
@repeatable
@blueprint.output(SubmittedOut)
@described(_OPERATION)
@raises(ValidationFailed, UnknownStyle, UnfitPhoto, MaskDoesNotFit, UnsupportedMediaType, TooLarge, DamagedImage)
@raises(ImageTooLarge, DecodingTimedOut, DecoderUnavailable, QueueFull, QuotaExceeded, RestyleUnavailable, NoWorker)
@raises(StylesUnreadable, StorageQuotaExceeded, StorageFull, StorageUnavailable)
def submit_photo() -> SubmittedOut:
    """Restyle a photo of a room.

    It takes seconds on a GPU: follow it by `websocket_url`, or ask `status_url`.
    """
    require_somebody(settings())
    caller, incoming = current_caller(), read_request(settings())
    idempotency = request_idempotency(incoming.digest)
    job_id = make_job(settings(), incoming, caller, correlation_id=current_request_id(), idempotency=idempotency)
    ticket = make_ticket(local.settings, job_id, caller.owner_id, caller.key_id)
    return SubmittedOut(
        job_id=job_id,
        estimated_time=estimated_seconds(incoming, job_id),
        websocket_url=websocket_url(job_id, ticket, absolute_url),
        status_url=absolute_url(f"/transform/status/{job_id}"),
    )


@blueprint.get("/transform/status/<uuid:job_id>")
@needs("read")
@blueprint.output(StatusOut)
@raises(NotFound)
def show_status(job_id: UUID) -> StatusOut:
    """Say how far a restyling is, and what came of it."""
    caller = current_caller()
    return StatusOut(data=state_of(_find(caller, job_id, "read"), absolute_url, caller.key_id))


@blueprint.delete("/transform/<uuid:job_id>")
@needs("write")
@blueprint.output(CancelledOut)
@raises(NotFound, JobFinished)
def cancel(job_id: UUID) -> CancelledOut:
    """Cancel a restyling: a waiting one at once, a running one after its present step."""
    job = _find(current_caller(), job_id, "write")
    if local.queue.cancel(job_id) is None:
        raise JobFinished(f"The job is {job.status}; there is nothing left to cancel.")
    return CancelledOut()


@blueprint.get("/transform/styles")
@needs("read")
@blueprint.output(StylesOut)
@raises(StylesUnreadable)
def list_styles() -> StylesOut:
    """List the styles, and say whether anybody can restyle just now."""
    available = is_available()
    return StylesOut(
        styles=[
            StyleOut(name=name, title=style.title, summary=style.summary, palette=list(style.palette))
            for name, style in styles(settings()).items()
        ],
        available=available,
        how_to=None if available else how_to(settings()),
    )


@blueprint.get("/transform/preview/<uuid:job_id>")
@blueprint.input(TicketQuery, location="query", arg_name="query")
@blueprint.doc(responses=_PREVIEW, security=OPEN_BY_TICKET)
@raises(NotFound, Unauthenticated, InvalidKey, InvalidTicket, TicketExpired)
def show_preview(job_id: UUID, query: TicketQuery) -> Response:
    """Show how far the painting is: a small, rough picture, as long as the job runs."""
    caller, _ = caller_of(job_id, query.ticket)
    listing.find(caller, job_id, "read")
    local.release_session()
    found = records.preview_of(storage().engine, job_id)
    if found is None:
        raise NotFound("There is no preview (any more).")
    answer = Response(found[1], mimetype=PREVIEW_MEDIA_TYPE)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/ws/transform/<uuid:job_id>", websocket=True)
@blueprint.get("/ws/transform/<uuid:job_id>")  # for those who do not ask for a WebSocket: told that it is one
@blueprint.input(TicketQuery, location="query", arg_name="query")
@raises(UpgradeRequired)
@blueprint.doc(responses=_TALK, security=OPEN_BY_TICKET)
def talk_of_transform(job_id: UUID, query: TicketQuery) -> Response:
    """Follow a restyling by WebSocket.

    First `{"type": "connected"}`, then the state as it is, then each change; the last has the result or the error. Any
    text is answered `{"type": "pong"}`.
    """
    require_upgrade()
    try:
        caller, _ = caller_of(job_id, query.ticket)
        job = _find(caller, job_id, "read")
        owner_id = job.owner_id
        _, listener = admit(job_id, query.ticket, None)
        stream = open_stream(job_id, listener)
    except Problem as problem:
        return WebSocketAnswer(partial(talk.refuse, refused=problem, request_id=current_request_id()))
    base = base_address()
    write = in_older_words(job_id, owner_id, caller.key_id, lambda path: base + path)
    return WebSocketAnswer(partial(talk.talk, stream=stream, write=write, answer=PONG))


def _find(caller: Caller, job_id: UUID, action: Action) -> Job:
    """The restyling, when it is one and the caller may do this to it; the request's database session is given up.

    What is asked of the database next takes a connection of its own: who held one meanwhile, of a pool of three, would
    wait for others that wait as well.
    """
    job = listing.find(caller, job_id, action, whole=True)
    local.release_session()
    if job.kind != KIND:
        raise NotFound
    return job
