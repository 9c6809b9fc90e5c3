"""One listener's stream of messages: a snapshot, what it missed, what happens, the end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.events import messages
from thetool.jobs.events.mailbox import Mailbox
from thetool.jobs.events.messages import Message, Said
from thetool.telemetry.metrics import observe_messages

LONGEST_SECONDS = 3600.0
SLOW_SECONDS = 60.0
"""For so long a listener may leave a message lie, or go on reading after its time."""

Replay = Callable[[UUID, int, int], Iterator[Said]]


class Ended(Enum):
    """Why a stream is over."""

    JOB = auto()
    """The job is: nothing will follow."""
    RESTART = auto()
    """This process leaves; another one goes on."""
    AGE = auto()
    """It has lasted long enough: whoever listens shows its credentials again."""
    SLOW = auto()
    """Its messages were not taken."""
    DATABASE = auto()
    """What it missed cannot be read just now."""
    KEY = auto()
    """The key that opened it has ended."""


@dataclass(frozen=True)
class Listener:
    """Who listens.

    Args:
        after: the last event that it has; None: none, and it wants no older ones.
        seconds: for how long it may listen at most.
        connection: by which it came, if that is known.
        may_go_on: whether what opened the stream is still good; asked now and then.
    """

    after: int | None = None
    seconds: float = LONGEST_SECONDS
    connection: socket.socket | None = None
    may_go_on: Callable[[], bool] = lambda: True


class Stream:
    """What one listener is told of one job.

    Args:
        job_id: of the job.
        listener: who is told.
        replay: gives what the job said between two events.
        leave: called once, when the stream is closed.
    """

    def __init__(self, job_id: UUID, listener: Listener, *, replay: Replay, leave: Callable[[Stream], None]) -> None:
        self.job_id = job_id
        self.listener = listener
        self.mailbox = Mailbox()
        self.ended: Ended | None = None
        self._until = time.monotonic() + min(listener.seconds, LONGEST_SECONDS)
        self._replay = replay
        self._leave = leave
        self._lock = threading.Lock()
        self._closed = False

    def take(self) -> Iterator[Message]:
        """What there is to say now; afterwards `ended` says whether anything will follow."""
        told = 0
        try:
            for left in self.mailbox.take():
                for message in self._begin(left) if left.event == "snapshot" else (left,):
                    yield message
                    told += 1
                if left.final:
                    self.ended = Ended.JOB
        except DatabaseUnavailable:
            self.ended = Ended.DATABASE
        finally:
            observe_messages(told)
        if self.ended is None:
            self.ended = self._reason_to_end()

    def seconds_left(self) -> float:
        """How long it may still last."""
        return max(0.0, self._until - time.monotonic())

    def dismiss(self, why: Ended = Ended.RESTART) -> None:
        """End it, politely."""
        if self.ended is None:
            self.ended = why
        self.mailbox.ring()

    def stuck(self, now: float) -> bool:
        """Whether its listener keeps the thread that tells it, by reading nothing or next to nothing."""
        waits = self.mailbox.since
        return now > self._until + SLOW_SECONDS or (waits is not None and now > waits + SLOW_SECONDS)

    def cut(self) -> None:
        """Break the connection under a thread that writes to it; not once that is done, and the next request on it."""
        connection = self.listener.connection
        with self._lock:
            if connection is not None and not self._closed:
                with suppress(OSError):  # it has gone by itself
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give everything back; harmless twice."""
        with self._lock:
            closed, self._closed = self._closed, True
        if not closed:
            self._leave(self)
            self.mailbox.close()

    def _begin(self, snapshot: Message) -> Iterator[Message]:
        """The snapshot, then what was missed before it. Its id is where the messages that follow begin."""
        last = int(snapshot.id)
        after = last if self.listener.after is None else min(self.listener.after, last)
        yield snapshot.at(after)
        for said in self._replay(self.job_id, after, last):
            yield messages.progress(self.job_id, said)

    def _reason_to_end(self) -> Ended | None:
        if self.mailbox.overflowed:
            return Ended.SLOW
        return Ended.AGE if self.seconds_left() == 0 else None
