"""Where a listener's messages lie until its thread takes them, with a bell that a poll can wait for."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from thetool.jobs.events.messages import Message

MOST_MESSAGES = 1000


class Mailbox:
    """Messages for one listener. A listener that takes them too slowly is cut off (`overflowed`), and comes back.

    Whoever leaves messages has them sent by `direct`, or rings, afterwards and when it suits. `since` is when the
    oldest that lies there was left (`time.monotonic()`), None when there is none.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._messages: deque[Message] = deque()
        self._rung = False
        self._reader, self._writer = os.pipe()
        self.overflowed = False
        self.since: float | None = None
        self.direct: Callable[[], bool] = lambda: False

    def put(self, message: Message) -> None:
        """Leave a message, without a ring."""
        with self._lock:
            if len(self._messages) >= MOST_MESSAGES:
                self.overflowed = True
            else:
                self._messages.append(message)
            if self.since is None:
                self.since = time.monotonic()

    def ring(self) -> None:
        """Wake the listener."""
        with self._lock:
            if not self._rung and self._writer >= 0:
                self._rung = True
                os.write(self._writer, b".")

    def take(self) -> list[Message]:
        """All that is there, oldest first."""
        with self._lock:
            if self._rung and self._reader >= 0:
                os.read(self._reader, 1)
                self._rung = False
            messages = list(self._messages)
            self._messages.clear()
            self.since = None
            return messages

    def take_plain(self) -> list[Message]:
        """The same for whoever only passes them on: nothing where more is to be done, or the listener is awake."""
        with self._lock:
            if self._rung or self.overflowed or any(one.final or one.event == "snapshot" for one in self._messages):
                return []
            messages = list(self._messages)
            self._messages.clear()
            self.since = None
            return messages

    def fileno(self) -> int:
        """What becomes readable when there is something to take."""
        return self._reader

    def close(self) -> None:
        """Give the bell back; harmless twice."""
        with self._lock:
            if self._reader >= 0:
                os.close(self._reader)
                os.close(self._writer)
                self._reader = self._writer = -1


class Woken(Enum):
    """Why a wait ended."""

    MAIL = auto()
    CALLER = auto()
    """The other side says something, or has closed its half of the connection."""
    GONE = auto()
    """The connection is dead."""
    TIME = auto()


class Line:
    """One listener's thread waits here for its mailbox and its connection at once.

    Args:
        mailbox: whose bell rings.
        connection: of the caller, if it is known.
        reads: whether what the caller says is read; else only its going away is noticed.
    """

    def __init__(self, mailbox: Mailbox, connection: socket.socket | None, *, reads: bool) -> None:
        self._mailbox = mailbox
        self._connection = connection
        self._poll = select.poll()
        self._poll.register(mailbox, select.POLLIN)
        if connection is not None:
            self._poll.register(connection, select.POLLIN if reads else getattr(select, "POLLRDHUP", 0))
        self._reads = reads

    def wait(self, seconds: float) -> Woken:
        """Wait until there is mail, the caller stirs, or the time is over."""
        ready = dict(self._poll.poll(max(seconds, 0) * 1000))
        bell = ready.pop(self._mailbox.fileno(), 0)
        for happened in ready.values():
            if happened & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                return Woken.GONE
            if not bell:
                return self._stirred()
        return Woken.MAIL if bell else Woken.TIME

    def _stirred(self) -> Woken:
        """Half closed is not gone: some programs say all they have to say, and then listen. Told once."""
        if not self._reads and self._connection is not None:
            self._poll.modify(self._connection, 0)
        return Woken.CALLER
