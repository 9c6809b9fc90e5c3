"""LISTEN: one connection and one thread for the whole process, fanned out to whoever wants to know."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import threading
from collections.abc import Callable

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class whose name is in lower case

from thetool.database.connection import DatabaseUnavailable, connect

log = logging.getLogger(__name__)

Callback = Callable[[str | None], None]
FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 5.0
CLOSE_SECONDS = 5.0
ALIVE_SECONDS = 30.0  # so long without a word, and the connection is tried out


class Listener:
    """Calls back when a channel of Postgres is notified.

    A callback gets the notification's payload, or None when one may have been missed: the connection is new, or nobody
    has listened to that channel before. So who subscribes, then looks for himself, and looks again at each call, misses
    nothing. Callbacks run in the listener's thread: they must be short and must not wait.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._callbacks: dict[str, list[Callback]] = {}
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)

    def start(self) -> None:
        """Begin to listen; it connects in the background, again and again while Postgres is away."""
        self._thread = threading.Thread(target=self._run, name="listen", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and close the connection."""
        self._closing.set()
        self._wake()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
            if self._thread.is_alive():
                return  # Postgres hangs; the thread ends with the process, or when Postgres goes on
        with self._lock:
            os.close(self._wake_reader)
            os.close(self._wake_writer)
            self._wake_reader = self._wake_writer = -1

    def subscribe(self, channel: str, callback: Callback) -> Callable[[], None]:
        """Call back at each notification of the channel, from now on. Returns the function that ends it."""
        with self._lock:
            self._callbacks.setdefault(channel, []).append(callback)
        self._wake()

        def unsubscribe() -> None:
            with self._lock:
                remaining = self._callbacks.get(channel, [])
                if callback in remaining:
                    remaining.remove(callback)
                if not remaining:
                    self._callbacks.pop(channel, None)
            self._wake()

        return unsubscribe

    def _wake(self) -> None:
        with self._lock, contextlib.suppress(BlockingIOError):
            if self._wake_writer >= 0:
                os.write(self._wake_writer, b".")

    def _run(self) -> None:
        wait = FIRST_RETRY_SECONDS
        while not self._closing.is_set():
            try:
                with contextlib.closing(connect(self._url, name="listen")) as connection:
                    wait = FIRST_RETRY_SECONDS
                    self._listen(connection)
            except (DatabaseUnavailable, psycopg2.Error, OSError) as error:
                log.warning("listening was interrupted, trying again in %.1f s: %s", wait, str(error).strip())
                self._closing.wait(wait)
                wait = min(2 * wait, LONGEST_RETRY_SECONDS)

    def _listen(self, connection: Connection) -> None:
        listening: set[str] = set()
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            while not self._closing.is_set():
                for channel in self._follow_subscriptions(connection, listening):
                    self._call(channel, None)
                self._hand_out(connection)
                ready = [key.fileobj for key, _ in selector.select(ALIVE_SECONDS)]
                if self._wake_reader in ready:
                    os.read(self._wake_reader, 4096)
                if connection in ready:
                    connection.poll()
                if not ready:
                    connection.cursor().execute("select 1")

    def _follow_subscriptions(self, connection: Connection, listening: set[str]) -> set[str]:
        """LISTEN and UNLISTEN as the subscriptions ask for; returns the channels that are new on this connection."""
        with self._lock:
            wanted = set(self._callbacks)
        if wanted == listening:
            return set()
        fresh, gone = wanted - listening, listening - wanted
        with connection.cursor() as cursor:
            for verb, channels in (("listen", fresh), ("unlisten", gone)):
                for channel in channels:
                    cursor.execute(sql.SQL(verb + " {}").format(sql.Identifier(channel)))
        listening.difference_update(gone)
        listening.update(fresh)
        return fresh

    def _hand_out(self, connection: Connection) -> None:
        while connection.notifies:
            notification = connection.notifies.pop(0)
            self._call(notification.channel, notification.payload)

    def _call(self, channel: str, payload: str | None) -> None:
        with self._lock:
            callbacks = list(self._callbacks.get(channel, ()))
        for callback in callbacks:
            try:
                callback(payload)
            except Exception:
                log.exception("a listener of the channel %r failed", channel)
