"""One listener's stream of messages: a snapshot, what it missed, what happens, the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from enum import Enum, auto
from uuid import UUID

from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.events import messages
from thetool.jobs.events.mailbox import Mailbox
from thetool.jobs.events.messages import Message, Said

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


class Stream:
    """What one listener is told of one job.

    Args:
        job_id: of the job.
        after: the last event that the listener has; None: none, and it wants no older ones.
        until: when it is to end at the latest (`time.monotonic()`).
        replay: gives what the job said between two events.
        leave: called once, when the stream is closed.
    """

    def __init__(
        self, job_id: UUID, *, after: int | None, until: float, replay: Replay, leave: Callable[[Stream], None]
    ) -> None:
        self.job_id = job_id
        self.mailbox = Mailbox()
        self.ended: Ended | None = None
        self._after = after
        self._until = until
        self._replay = replay
        self._leave = leave
        self._closed = False

    def take(self) -> Iterator[Message]:
        """What there is to say now; afterwards `ended` says whether anything will follow."""
        try:
            for message in self.mailbox.take():
                yield from self._begin(message) if message.event == "snapshot" else (message,)
                if message.final:
                    self.ended = Ended.JOB
        except DatabaseUnavailable:
            self.ended = Ended.DATABASE
        if self.ended is None:
            self.ended = self._reason_to_end()

    def seconds_left(self) -> float:
        """How long it may still last."""
        return max(0.0, self._until - time.monotonic())

    def dismiss(self) -> None:
        """End it, politely: the process leaves."""
        if self.ended is None:
            self.ended = Ended.RESTART
        self.mailbox.ring()

    def close(self) -> None:
        """Give everything back; harmless twice."""
        if not self._closed:
            self._closed = True
            self._leave(self)
            self.mailbox.close()

    def _begin(self, snapshot: Message) -> Iterator[Message]:
        """The snapshot, then what was missed before it. Its id is where the messages that follow begin."""
        last = int(snapshot.id)
        after = last if self._after is None else min(self._after, last)
        yield snapshot.at(after)
        for said in self._replay(self.job_id, after, last):
            yield messages.progress(self.job_id, said)

    def _reason_to_end(self) -> Ended | None:
        if self.mailbox.overflowed:
            return Ended.SLOW
        return Ended.AGE if self.seconds_left() == 0 else None
