"""A way out for threads that wait for a Postgres which hangs.

A machine that is frozen or a disk that stalls keeps connections open and answers nothing. libpq then waits for ever:
time limits of statements are the server's, and keepalives are answered by its kernel.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time

import sqlalchemy as sa
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class whose name is in lower case
from sqlalchemy.pool import Pool

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0


class HangGuard:
    """Breaks a pool's connections that are in use for longer than a limit; who waits there gets an `OperationalError`.

    Args:
        seconds: the limit; no use of a connection may need as long.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._in_use: dict[object, tuple[float, Connection]] = {}
        self._thread: threading.Thread | None = None

    def watch(self, pool: Pool) -> None:
        """Guard all connections of the pool from now on."""
        sa.event.listen(pool, "checkout", self._taken)
        for end in ("checkin", "invalidate", "close"):
            sa.event.listen(pool, end, self._given_back)

    def begin(self, user: object, connection: Connection) -> None:
        """From now on `user` uses the connection; until `end(user)`."""
        with self._lock:
            self._in_use[user] = (time.monotonic() + self._seconds, connection)
            if self._thread is None or not self._thread.is_alive():  # a forked child has the object without the thread
                self._thread = threading.Thread(target=self._run, name="database-hang-guard", daemon=True)
                self._thread.start()

    def end(self, user: object) -> None:
        """The use is over; harmless twice."""
        with self._lock:
            self._in_use.pop(user, None)

    def _taken(self, connection: Connection, record: object, proxy: object) -> None:
        self.begin(record, connection)

    def _given_back(self, connection: Connection, record: object, *error: object) -> None:
        self.end(record)

    def _run(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            with self._lock:  # held while breaking: a connection that is given back may be closed and its number reused
                now = time.monotonic()
                for record, (deadline, connection) in list(self._in_use.items()):
                    if now > deadline:
                        del self._in_use[record]
                        self._break(connection)

    def _break(self, connection: Connection) -> None:
        if connection.closed:
            return
        log.error("a database connection was in use for more than %s s and was broken off", self._seconds)
        with socket.socket(fileno=os.dup(connection.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)
