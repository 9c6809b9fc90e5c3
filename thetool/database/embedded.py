"""A Postgres of our own under the data folder, for those who have none (`docs/decisions/0001-embedded-postgres.md`)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from thetool.config import Settings
from thetool.database.binaries import EmbeddedPostgresError, find_binaries
from thetool.database.cluster import Cluster

START_SECONDS = 60

__all__ = ["EmbeddedPostgresError", "EmbeddedServer", "available", "connections_needed"]


class EmbeddedServer:
    """The embedded Postgres of one data folder, shared by all processes that use that folder.

    It is started and stopped under a file lock, and each user holds a shared lock while it uses the server: the last
    one out stops it. A killed process's locks go with it.

    Args:
        home: `THETOOL_HOME`; everything is kept in its folder `postgres`.
    """

    def __init__(self, home: Path) -> None:
        self.cluster = Cluster(home / "postgres")
        self._use: IO[str] | None = None
        self._used_by = os.getpid()
        self._launched: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """The address of its database; final once the server has been started for the first time."""
        return self.cluster.dsn

    def is_running(self) -> bool:
        """Whether a server answers on the socket."""
        return self.cluster.answers()

    def start(self, max_connections: int) -> str:
        """Use the server, starting it unless it runs; safe from any number of processes at once.

        Returns:
            The address of its database.

        Raises:
            EmbeddedPostgresError: it cannot start; the message says why and how to mend it.
        """
        try:
            self.cluster.base.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.cluster.base.mkdir(exist_ok=True, mode=0o700)
            with self._locked() as lock:
                self._enter()
                try:
                    self._bring_up(max_connections, lock)
                except BaseException:
                    self._leave()
                    raise
        except OSError as error:
            raise EmbeddedPostgresError(
                f"The embedded Postgres cannot use {error.filename or self.cluster.base}: {error.strerror}. "
                "Set THETOOL_HOME to a folder of yours on a disk with some space, or set DATABASE_URL."
            ) from error
        return self.dsn

    def stop(self) -> bool:
        """Stop using the server. Its last user shuts it down; a forked child of a user does nothing.

        Returns:
            Whether the server was shut down, or was down.

        Raises:
            EmbeddedPostgresError: it does not stop.
        """
        if not self.cluster.base.exists() or (self._use is not None and self._used_by != os.getpid()):
            return False
        with self._locked():
            self._enter()
            try:
                if not self._alone():
                    return False
                self.cluster.shut_down()
                return True
            finally:
                self._leave()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[IO[str]]:
        with open(self.cluster.base / "start.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock

    def _enter(self) -> None:
        if self._use is None:
            self._use = open(self.cluster.base / "users.lock", "w")  # noqa: SIM115 - held while the server is used
            self._used_by = os.getpid()
        fcntl.flock(self._use, fcntl.LOCK_SH)

    def _leave(self) -> None:
        if self._use is not None:
            self._use.close()
            self._use = None
        if self._launched is not None:
            self._launched.poll()  # collects it, so that no zombie is left

    def _alone(self) -> bool:
        """Whether nobody else uses the server."""
        if self._use is None:
            return False
        try:
            fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._use, fcntl.LOCK_SH)
        return True

    def _bring_up(self, max_connections: int, lock: IO[str]) -> None:
        cluster, launched = self.cluster, None
        if cluster.ready() and not cluster.runs_with(max_connections) and self._alone():
            cluster.shut_down()  # left behind by a killed process, and with room for fewer connections, say
        last_answer = time.monotonic()
        while not cluster.ready():
            if cluster.answers():  # it recovers from a crash, for as long as that takes
                last_answer = time.monotonic()
            elif time.monotonic() - last_answer > START_SECONDS:
                raise EmbeddedPostgresError(
                    f"The embedded Postgres does not answer within {START_SECONDS} s. Its log, {cluster.log}, ends:\n"
                    + cluster.log_end()
                )
            elif cluster.postmaster() is None and (launched is None or launched.poll() is not None):
                if launched is not None:
                    cluster.explain_end(launched.returncode)
                launched = self._launch(max_connections, lock)
            time.sleep(0.01)

    def _launch(self, max_connections: int, lock: IO[str]) -> subprocess.Popen[bytes]:
        binaries = find_binaries(self.cluster.identity())
        self.cluster.make(binaries, lock)
        self._launched = self.cluster.launch(binaries, max_connections)
        return self._launched


def connections_needed(settings: Settings) -> int:
    """The server's `max_connections`: each worker's pool, LISTEN and queue (two), and some for people and tools."""
    return settings.workers * (settings.database_pool_size + 3) + 20


@contextlib.contextmanager
def available(settings: Settings) -> Iterator[None]:
    """While it lasts, the settings' database can be reached: where it is the embedded one, that is started.

    Raises:
        EmbeddedPostgresError: the embedded server cannot start.
    """
    if settings.database_url is not None:
        yield
        return
    server = EmbeddedServer(settings.home)
    server.start(connections_needed(settings))
    try:
        yield
    finally:
        server.stop()
