"""Server-sent events: a stream as an answer that goes on.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

from flask import Response, request

from thetool.jobs.events.direct import Direct
from thetool.jobs.events.mailbox import Line, Woken
from thetool.jobs.events.stream import Ended, Stream

MEDIA_TYPE = "text/event-stream"
HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 2000
# `no-transform` and X-Accel-Buffering: proxies must neither compress nor gather what goes through them.
HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
_WORDS = {
    Ended.RESTART: "this process leaves; connect again",
    Ended.AGE: "this connection is old; connect again",
    Ended.SLOW: "you read too slowly; connect again",
    Ended.DATABASE: "the database is away; connect again",
    Ended.KEY: "the key has ended",
}


def answer_with(stream: Stream, base: str) -> Response:
    """The answer that tells the stream's messages as they come; closes the stream when it ends.

    Args:
        stream: what is told.
        base: what links begin with.
    """
    direct = Direct(stream.mailbox, stream.listener.connection if _goes_in_chunks() else None, base)
    response = Response(_closing(stream, _body(stream, base, direct)), mimetype=MEDIA_TYPE, headers=HEADERS)
    response.call_on_close(stream.close)  # also when nothing of it was ever read
    return response


def empty_answer() -> Response:
    """What HEAD gets."""
    return Response(mimetype=MEDIA_TYPE, headers=HEADERS)


def _goes_in_chunks() -> bool:
    """Whether gunicorn writes what the answer gives in chunks, straight to the connection."""
    place = request.environ
    return type(place.get("gunicorn.socket")) is socket.socket and place.get("SERVER_PROTOCOL") == "HTTP/1.1"


def _body(stream: Stream, base: str, direct: Direct) -> Iterator[bytes]:
    yield _retry(RETRY_MILLISECONDS)
    line = Line(stream.mailbox, stream.listener.connection, reads=False)
    while True:
        for message in stream.take():
            yield message.as_event(base)
        if stream.ended is Ended.JOB:
            return
        if stream.ended is not None:
            # By chance, so that those who leave together do not come back together.
            yield _retry(random.randint(500, 2500)) + f": {_WORDS[stream.ended]}\n\n".encode()  # noqa: S311
            return
        try:
            with direct.lent():
                woken = line.wait(min(HEARTBEAT_SECONDS, stream.seconds_left()))
        except OSError:
            return
        if woken is Woken.GONE:
            return
        if woken is not Woken.MAIL:
            yield b":\n\n"


def _closing(stream: Stream, body: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from body
    finally:
        stream.close()


def _retry(milliseconds: int) -> bytes:
    return f"retry: {milliseconds}\n\n".encode()
