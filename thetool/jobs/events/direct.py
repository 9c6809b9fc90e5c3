"""Writing to a listener's connection while its own thread waits: a quarter of what it costs to wake that thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from thetool.jobs.events.mailbox import Mailbox
from thetool.telemetry.metrics import observe_messages


class Direct:
    """The connection of a stream of server-sent events, whose answer goes out in chunks (RFC 9112 section 7.1).

    Its thread lends it while it waits; whoever has left messages may then send them himself. He never waits: what the
    connection does not take at once, the thread sends when it wakes.

    Args:
        mailbox: of the listener.
        connection: of the listener; None lends nothing.
        base: what links begin with.
    """

    def __init__(self, mailbox: Mailbox, connection: socket.socket | None, base: str) -> None:
        self._mailbox = mailbox
        self._connection = connection
        self._base = base
        self._lock = threading.Lock()
        self._lent = False
        self._rest = b""
        mailbox.direct = self.send

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Lend the connection while the block waits; raises OSError when it is dead."""
        with self._lock:
            self._lent = self._connection is not None
        try:
            yield
        finally:
            with self._lock:
                self._lent, rest, self._rest = False, self._rest, b""
        if rest and self._connection is not None:
            try:
                self._connection.sendall(rest)
            except OSError:
                with suppress(OSError):  # in the midst of a chunk: nothing must follow, neither its end nor an answer
                    self._connection.shutdown(socket.SHUT_RDWR)
                raise

    def send(self) -> bool:
        """Send what lies in the mailbox; false when something of that is for the thread to do."""
        with self._lock:
            if not self._lent or self._rest or self._connection is None:
                return False
            messages = self._mailbox.take_plain()
            if not messages:
                return False
            chunks = [message.as_event(self._base) for message in messages]
            data = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
            try:
                sent = self._connection.send(data, socket.MSG_DONTWAIT)
            except OSError:  # it takes nothing now, or is dead: the thread finds out
                sent = 0
            self._rest = data[sent:]
            observe_messages(len(messages))
            return not self._rest
