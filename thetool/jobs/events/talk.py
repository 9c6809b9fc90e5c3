"""The same messages on a WebSocket: each is JSON, `{id, event, data}`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from thetool.jobs.events.mailbox import Line, Woken
from thetool.jobs.events.messages import Message, problem
from thetool.jobs.events.stream import Ended, Stream
from thetool.web.problems import Problem
from thetool.web.websocket import WebSocket

Write = Callable[[Message], Iterable[str]]
"""The texts that tell a message."""

PING_SECONDS = 15.0
SILENT_SECONDS = 60.0
CLOSE_CODES = {
    Ended.JOB: (1000, "the job is over"),
    Ended.RESTART: (1012, "this process leaves; connect again"),
    Ended.AGE: (1012, "this connection is old; connect again"),
    Ended.SLOW: (1012, "you read too slowly; connect again"),
    Ended.DATABASE: (1013, "the database is away; connect again"),
    Ended.KEY: (4401, "the key has ended"),
}
TRY_AGAIN_LATER = 1013
REFUSED = 4000
"""A refusal closes with this and the problem's status, such as 4404; one that will pass (503) with 1013."""


def talk(place: WebSocket, stream: Stream, write: Write, answer: str | None = None) -> None:
    """Tell the stream's messages until it ends or the other side goes; closes both.

    Args:
        place: where.
        stream: what.
        write: how each message is told.
        answer: what is said to each text that the other side says.
    """
    try:
        line = Line(stream.mailbox, place.connection, reads=True)
        while place.open:
            for message in stream.take():
                for text in write(message):
                    place.send(text)
            if stream.ended is not None:
                place.close(*CLOSE_CODES[stream.ended])
                return
            woken = line.wait(min(PING_SECONDS, stream.seconds_left()))
            if woken in (Woken.CALLER, Woken.GONE):
                texts = place.receive()
                if answer is not None:
                    for _ in range(texts if place.open else 0):
                        place.send(answer)
            elif woken is Woken.TIME and not _still_there(place):
                return
    finally:
        stream.close()


def refuse(place: WebSocket, refused: Problem, request_id: str) -> None:
    """Say what is wrong, as a message, because a browser's page sees no answer's status; then close."""
    place.send(problem(refused.body(request_id)).as_json("").decode())
    code = TRY_AGAIN_LATER if refused.status == 503 else REFUSED + refused.status
    place.close(code, refused.title)


def _still_there(place: WebSocket) -> bool:
    """Ping; a caller that has not answered several of them is not there any more."""
    if time.monotonic() - place.heard_at > SILENT_SECONDS:
        return False
    place.ping()
    return True
