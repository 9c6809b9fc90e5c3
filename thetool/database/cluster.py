"""The data folder of the embedded server, and the server process at work in it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil

from thetool.database.binaries import Binaries, EmbeddedPostgresError, Identity, server_identity

ANSWER_SECONDS = 2
GENTLE_STOP_SECONDS = 30
QUICK_STOP_SECONDS = 10
LOG_BYTES = 10 * 2**20
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # sun_path holds 107 bytes on Linux, 103 on macOS
DESCRIPTORS = Path("/proc/self/fd")
SSL_REQUEST = struct.pack("!II", 8, 80877103)
OPTIONS = {
    "listen_addresses": "",
    "cluster_name": "thetool",
    "autovacuum_naptime": "5s",  # the default of a minute lets the jobs table bloat
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_error_statement": "panic",  # statements hold our callers' data
}


class Cluster:
    """One data folder with its log and its socket, all inside the folder `base`."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.data = base / "data"
        self.log = base / "postgres.log"
        self._short_folder = base / "socket"

    @property
    def socket_folder(self) -> Path:
        """Where the socket is: in the data folder; where that path is too long for one, in a folder named by a link."""
        with contextlib.suppress(OSError):
            return Path(os.readlink(self._short_folder))
        return self.data

    @property
    def dsn(self) -> str:
        """The address of its database, whether it runs or not."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.socket_folder), safe='')}"

    def answers(self) -> bool:
        """Whether a server is at the socket: it answers a request for encryption, with one byte, before all else."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(ANSWER_SECONDS)
                connection.connect(str(self.socket_folder / SOCKET))
                connection.sendall(SSL_REQUEST)
                return connection.recv(1) in (b"N", b"S", b"E")
        except OSError:
            return False

    def ready(self) -> bool:
        """Whether the server takes connections: not still recovering, not shutting down."""
        lines = self._pid_file()
        return len(lines) >= 8 and lines[7].strip() == "ready" and self.answers()

    def postmaster(self) -> psutil.Process | None:
        """The process that the pid file names, if it truly is this folder's server: alive, and at work inside it.

        The number alone may be a zombie's, or another program's by now.
        """
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            process = psutil.Process(int(self._pid_file()[0]))
            if process.status() != psutil.STATUS_ZOMBIE and os.path.samefile(process.cwd(), self.data):
                return process
        return None

    def _pid_file(self) -> list[str]:
        with contextlib.suppress(OSError):
            return (self.data / "postmaster.pid").read_text().splitlines()
        return []

    def identity(self) -> Identity:
        """Who the server runs as: the owner of its data."""
        return server_identity(self.data.stat() if self.data.exists() else None)

    def make(self, binaries: Binaries, lock: IO[str]) -> None:
        """Make the data folder unless it is there: elsewhere, then put in its place, so that it is never half made.

        Args:
            binaries: the programs to make it with.
            lock: the lock that the caller holds. `initdb` holds it too, so that nobody comes in between when the
                caller is killed.
        """
        for leftover in self.base.glob("initdb-*"):
            shutil.rmtree(leftover)
        if self.data.exists():
            self._check_version(binaries)
            return
        folder = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.base))
        try:
            self._give_to_server(folder)
            self._run_initdb(folder, binaries, lock)
            folder.rename(self.data)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run_initdb(self, folder: Path, binaries: Binaries, lock: IO[str]) -> None:
        arguments = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", *binaries.locale_arguments]
        with tempfile.TemporaryFile() as output:
            initdb = self._start(folder, binaries.folder / "initdb", arguments, output, keep=[lock.fileno()])
            try:
                status = initdb.wait()
            except BaseException:
                initdb.kill()
                initdb.wait()
                raise
            output.seek(0)
            if status != 0:
                said = output.read().decode(errors="replace")
                raise EmbeddedPostgresError(self._explained("Making the database failed", said))

    def _check_version(self, binaries: Binaries) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(binaries.major):
            raise EmbeddedPostgresError(
                f"{self.data} was made by Postgres {made_by}, and this is Postgres {binaries.major}. "
                f"Dump it with a Postgres {made_by} (PG_BIN names its folder of programs), move it away, "
                "start again, and load the dump."
            )

    def launch(self, binaries: Binaries, max_connections: int) -> subprocess.Popen[bytes]:
        """Start the server process; nobody may be at work in the folder. It outlives this process."""
        # Postgres itself takes any living pid for a server's, a zombie's too; here it is known that there is none.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for name in (SOCKET, f"{SOCKET}.lock"):
            (self.socket_folder / name).unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_name("postgres.log.1"))
        options = self._options(max_connections)
        with open(self.log, "ab") as log:
            return self._start(self.data, binaries.folder / "postgres", options, log)

    def runs_with(self, max_connections: int) -> bool:
        """Whether the running server was started with what `launch()` would give it now."""
        with contextlib.suppress(OSError):
            started_with = shlex.split((self.data / "postmaster.opts").read_text())
            return started_with[3:] == self._options(max_connections)
        return False

    def max_connections(self) -> int | None:
        """How many connections the running server allows; None when that is not known."""
        with contextlib.suppress(OSError):
            found = re.search(r"max_connections=(\d+)", (self.data / "postmaster.opts").read_text())
            return int(found[1]) if found else None
        return None

    def _options(self, max_connections: int) -> list[str]:
        options = OPTIONS | {
            "max_connections": str(max_connections),
            "unix_socket_directories": self._make_socket_folder(),
        }
        return [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]

    def _start(
        self, folder: Path, program: Path, arguments: list[str], output: IO[bytes], keep: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a Postgres program for a data folder, as the server's user, in a session of its own.

        A Ctrl-C in our terminal must reach us alone. Output goes to a file: a pipe would be kept open for ever. The
        environment is bare: ours holds keys. The folder is handed over open, and named by its number where that is
        possible: so the folders above may be closed to the server's user.
        """
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        by_number = DESCRIPTORS / str(descriptor)
        environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
        try:
            return subprocess.Popen(
                [program, "-D", by_number if by_number.is_dir() else folder, *arguments],
                cwd="/",
                env=environment | {"LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(descriptor, *keep),
                start_new_session=True,
                **self.identity().arguments,
            )
        finally:
            os.close(descriptor)

    def _make_socket_folder(self) -> str:
        """Where the server makes its socket, as it sees the path."""
        if len(os.fsencode(self.data / SOCKET)) <= LONGEST_SOCKET_PATH:
            return "."
        if not self._short_folder.exists():
            folder = self._folder_of_before() or Path(tempfile.mkdtemp(prefix="thetool-", dir="/tmp"))
            self._give_to_server(folder)
            self._short_folder.unlink(missing_ok=True)
            self._short_folder.symlink_to(folder)
        return str(self.socket_folder)

    def _folder_of_before(self) -> Path | None:
        """The folder that the link names, made anew: those who knew the address find the server there again."""
        try:
            folder = Path(os.readlink(self._short_folder))
            folder.mkdir(mode=0o700)  # fails where somebody else has made one of that name
        except OSError:
            return None
        return folder

    def _give_to_server(self, folder: Path) -> None:
        identity = self.identity()
        if identity.uid != os.geteuid():
            os.chown(folder, identity.uid, identity.gid)

    def explain_end(self, status: int) -> None:
        """Raise why a launched server ended, unless that passes: a killed server's children need a moment to go."""
        said = self.log_end()
        if "pre-existing shared memory block" not in said:
            raise EmbeddedPostgresError(self._explained(f"The embedded Postgres ended with status {status}", said))

    def _explained(self, what: str, said: str) -> str:
        if "No space left on device" in said:
            free = shutil.disk_usage(self.base).free // 2**20
            return (
                f"{what}: the disk of {self.base} is full ({free} MiB free). "
                "Free some space there, or set THETOOL_HOME to another disk."
            )
        return f"{what}. It said:\n{said.strip()}"

    def log_end(self) -> str:
        """The last lines of the server's log."""
        with open(self.log, "rb") as log:
            log.seek(max(0, self.log.stat().st_size - 1500))
            return log.read().decode(errors="replace")

    def shut_down(self) -> None:
        """Stop the server: asked to write all and end; then told to end at once, which its next start recovers from."""
        for number, seconds in ((signal.SIGINT, GENTLE_STOP_SECONDS), (signal.SIGQUIT, QUICK_STOP_SECONDS)):
            if postmaster := self.postmaster():
                with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended by itself
                    postmaster.send_signal(number)
                deadline = time.monotonic() + seconds
                while self.postmaster() == postmaster and time.monotonic() < deadline:
                    time.sleep(0.01)
        if postmaster := self.postmaster():
            pid = postmaster.pid
            raise EmbeddedPostgresError(
                f"The embedded Postgres (pid {pid}) does not stop; end it with 'kill -9 {pid}'."
            )
        if self._short_folder.is_symlink():
            shutil.rmtree(self.socket_folder, ignore_errors=True)
