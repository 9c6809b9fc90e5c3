"""A Postgres of our own under the data folder, for those who have none.

Three rules hold it together (`docs/decisions/0001-embedded-postgres.md`):

- Whether it runs is asked of its socket, never of a pid alone: a pid may be a zombie's, or another program's by now.
- It is started and stopped under a file lock, and its users hold a shared lock: the last one out stops it.
- Its programs run inside the data folder and never look at the folders above, so that it can be another user's
  (root must hand it to one) below a folder that is closed to that user.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil
import psycopg2

from thetool.config import Settings
from thetool.database.binaries import Binaries, EmbeddedPostgresError, find_binaries, process_identity, server_user

START_SECONDS = 60
STOP_SECONDS = 30
LOG_BYTES = 10 * 2**20
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # sun_path holds 107 bytes on Linux, 103 on macOS
HERE = Path("/proc/self/cwd")
SSL_REQUEST = struct.pack("!II", 8, 80877103)
OPTIONS = {
    "listen_addresses": "",
    "autovacuum_naptime": "5s",  # the default of a minute lets the jobs table bloat
    "cluster_name": "thetool",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # statements hold our callers' data
}


class EmbeddedServer:
    """The embedded Postgres of one data folder.

    `home` is `THETOOL_HOME`; everything is kept in its folder `postgres`.
    """

    def __init__(self, home: Path) -> None:
        self.base = home / "postgres"
        self.data = self.base / "data"
        self.log = self.base / "postgres.log"
        self._short = self.base / "socket"
        self._use: IO[str] | None = None
        self._user_pid = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """The address of its database, whether it runs or not."""
        return f"postgresql://postgres@/postgres?host={quote(str(self._socket_folder), safe='')}"

    @property
    def _socket_folder(self) -> Path:
        """The data folder, or, where that path is too long for a socket, a folder that a link in it names."""
        return Path(os.readlink(self._short)) if self._short.is_symlink() else self.data

    def is_running(self) -> bool:
        """Whether a server answers on the socket (it may still be starting up)."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2)
                connection.connect(str(self._socket_folder / SOCKET))
                connection.sendall(SSL_REQUEST)
                return connection.recv(1) in (b"N", b"S", b"E")
        except OSError:
            return False

    def start(self, max_connections: int) -> str:
        """Use the server, starting it unless it runs; safe from any number of processes at once. Returns the address.

        Raises:
            EmbeddedPostgresError: it cannot start; the message says why and how to mend it.
        """
        self._make_folder()
        with self._locked():
            if self._use is None:
                self._use = open(self.base / "users.lock", "w")  # noqa: SIM115 - held until stop()
                self._user_pid = os.getpid()
            fcntl.flock(self._use, fcntl.LOCK_SH)
            try:
                self._bring_up(max_connections)
            except BaseException:
                self._leave()
                raise
        return self.dsn

    def stop(self) -> bool:
        """Stop using the server; the last of its users shuts it down. Returns whether it was shut down.

        In a forked child this does nothing: the server is its parent's to stop.
        """
        if not self.base.exists() or (self._use is not None and self._user_pid != os.getpid()):
            return False
        with self._locked():
            try:
                if not self._alone():
                    return False
                self._shut_down()
                return True
            finally:
                self._leave()

    def _make_folder(self) -> None:
        try:
            self.base.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.base.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"Cannot make {self.base}: {error.strerror}. Set THETOOL_HOME to a folder of yours."
            ) from error

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.base / "start.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _alone(self) -> bool:
        """Whether no other process uses the server (a killed process's lock is gone with it)."""
        with contextlib.ExitStack() as stack:
            use = self._use or stack.enter_context(open(self.base / "users.lock", "w"))
            try:
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def _leave(self) -> None:
        if self._use is not None:
            self._use.close()
            self._use = None

    def _bring_up(self, max_connections: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._accepts():
                return
            if not self.is_running() and self._postmaster() is None:
                self._launch(max_connections)
            time.sleep(0.02)
        raise EmbeddedPostgresError(
            f"The embedded Postgres did not answer within {START_SECONDS} s. Its log, {self.log}, ends:\n{self._log_tail()}"
        )

    def _accepts(self) -> bool:
        try:
            psycopg2.connect(self.dsn, connect_timeout=3).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _launch(self, max_connections: int) -> None:
        """Start one postmaster; when an earlier one of this call has already failed, say why."""
        if self._process is not None and (status := self._process.poll()) is not None:
            self._explain_failure(status)
        binaries = find_binaries()
        self._prepare_cluster(binaries)
        # Postgres takes any living pid for a server's, a zombie's too; here it is known that none runs.
        for leftover in ("postmaster.pid", SOCKET, SOCKET + ".lock"):
            (self.data / leftover).unlink(missing_ok=True)
            (self._socket_folder / leftover).unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        options = OPTIONS | {
            "max_connections": str(max_connections),
            "unix_socket_directories": self._prepare_socket_folder(),
        }
        arguments = [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]
        with open(self.log, "ab") as log:
            # A session of its own: a Ctrl-C in our terminal must reach us alone.
            self._process = self._run_inside(self.data, [binaries.folder / "postgres", *arguments], log)

    def _run_inside(self, folder: Path, command: list[Path | str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a Postgres program as the server's user, inside its data folder, writing to a file (a pipe would be kept open)."""
        program, *arguments = map(str, command)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {
            "LC_ALL": "C",
            "LANG": "C",
        }
        data = str(HERE) if HERE.exists() else str(folder)
        return subprocess.Popen(
            [program, "-D", data, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **process_identity(),
        )

    def _prepare_cluster(self, binaries: Binaries) -> None:
        """Make the data folder unless it is there: beside its place, then put in place at once, so that it is never half made."""
        for leftover in self.base.glob("initdb-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if self.data.exists():
            made_by = (self.data / "PG_VERSION").read_text().strip()
            if made_by != str(binaries.major):
                raise EmbeddedPostgresError(
                    f"{self.data} was made by Postgres {made_by}, and this is Postgres {binaries.major}. Dump it with a Postgres "
                    f"{made_by} (set PG_BIN to its folder), move the folder away, start again, and load the dump."
                )
            return
        folder = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.base))
        self._give_to_server(folder)
        with tempfile.TemporaryFile() as output:
            command = [
                binaries.folder / "initdb",
                "-U",
                "postgres",
                "--auth=trust",
                "--encoding=UTF8",
                *binaries.locale_arguments,
            ]
            status = self._run_inside(folder, command, output).wait()
            output.seek(0)
            said = output.read().decode(errors="replace")
        if status != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise EmbeddedPostgresError(self._mended("initdb failed", said))
        folder.rename(self.data)

    def _prepare_socket_folder(self) -> str:
        """Where the server puts its socket, as it sees the path."""
        if len(os.fsencode(self.data / SOCKET)) <= LONGEST_SOCKET_PATH:
            return "."
        if not self._short.is_symlink() or not self._socket_folder.is_dir():
            self._short.unlink(missing_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="thetool-", dir="/tmp"))
            self._give_to_server(folder)
            self._short.symlink_to(folder)
        return str(self._socket_folder)

    def _give_to_server(self, folder: Path) -> None:
        if user := server_user():
            os.chown(folder, user.pw_uid, user.pw_gid)

    def _explain_failure(self, status: int) -> None:
        """Raise unless the failure passes by itself: the orphans of a killed postmaster take a moment to go."""
        said = self._log_tail()
        if "pre-existing shared memory block" not in said:
            raise EmbeddedPostgresError(self._mended(f"The embedded Postgres ended with status {status}", said))
        time.sleep(0.2)

    def _mended(self, what: str, said: str) -> str:
        if "No space left on device" in said:
            free = shutil.disk_usage(self.base).free // 2**20
            return f"{what}: the disk of {self.base} is full ({free} MiB free). Free some space there, or set THETOOL_HOME to another disk."
        return f"{what}:\n{said.strip()[-1500:]}"

    def _log_tail(self) -> str:
        with open(self.log, "rb") as log:
            log.seek(max(0, self.log.stat().st_size - 2000))
            return log.read().decode(errors="replace")

    def _postmaster(self) -> psutil.Process | None:
        """The process that the pid file names, if it truly is this folder's server: alive, and at work inside it."""
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            if process.status() != psutil.STATUS_ZOMBIE and os.path.samefile(process.cwd(), self.data):
                return process
        return None

    def _shut_down(self) -> None:
        """A fast shutdown: open transactions are rolled back, everything committed is on disk."""
        postmaster = self._postmaster()
        if postmaster is None:
            return
        postmaster.send_signal(signal.SIGINT)
        try:
            (self._process or postmaster).wait(STOP_SECONDS)
        except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
            raise EmbeddedPostgresError(
                f"The embedded Postgres (pid {postmaster.pid}) did not stop within {STOP_SECONDS} s."
            ) from None
        if self._short.is_symlink():
            shutil.rmtree(self._socket_folder, ignore_errors=True)
            self._short.unlink()


def connections_needed(settings: Settings) -> int:
    """The server's `max_connections`: each worker's pool, its LISTEN and its queue, and some for people and tools."""
    return settings.workers * (settings.database_pool_size + 2) + 20


@contextlib.contextmanager
def available(settings: Settings) -> Iterator[None]:
    """While it lasts, the database that `settings` name can be reached: the embedded server is started where it is the one.

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
