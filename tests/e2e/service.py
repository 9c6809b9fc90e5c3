"""A real service to test: gunicorn as a user starts it, its processes, log, database, and callers that keep asking."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg2
import psycopg2.extras

from thetool.database.embedded import EmbeddedServer

ROOT = Path(__file__).parents[2]
KEY = "e2e-master-key-0123456789abcdef0123456789"
T = TypeVar("T")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(get: Callable[[], T], what: str, seconds: float = 30) -> T:
    """Ask until the answer is true; gives the answer."""
    deadline = time.monotonic() + seconds
    while not (answer := get()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)  # to look at processes takes several milliseconds
    return answer


class Service:
    """One gunicorn of its own home and port. `environment` holds the settings that this test needs on top."""

    def __init__(self, folder: Path, database_url: str | None, **environment: Any) -> None:
        self.folder = ROOT
        self.home = folder / "home"
        self.log_file = folder / "log"
        self.settings_file = folder / "settings.env"
        self.settings_file.touch()
        self.port = free_port()
        self.database_url = database_url
        self.environment = {
            "THETOOL_HOME": str(self.home),
            "MASTER_API_KEY": KEY,
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "2",
            "ENV_FILE": str(self.settings_file),
            "PYTHONPATH": str(ROOT),
        }
        if database_url:
            self.environment["DATABASE_URL"] = database_url
        self.environment |= {name: str(value) for name, value in environment.items()}
        self.python = sys.executable
        self.process: subprocess.Popen[bytes] | None = None
        self._connection: Any = None

    # --- start and stop

    def launch(self, *command: str) -> None:
        """Start it without waiting; `gunicorn` on the sample application unless another command is given."""
        arguments = command or ("-m", "gunicorn", "tests.e2e.sample:app")
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, *arguments],
                cwd=self.folder,
                env={"PATH": os.environ["PATH"], "HOME": str(self.home)} | self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def launch_and_wait(self, *command: str) -> Service:
        """Start it and wait until it answers."""
        starts = self.log().count("Gunicorn starting with") if self.log_file.exists() else 0
        self.launch(*command)

        def answers() -> bool:
            # Not by its answers alone: those may come from the last workers of a master that was killed.
            return self.log().count("Gunicorn starting with") > starts and self.is_up()

        until(lambda: answers() or self.exit_status() is not None, "the service answers", 60)
        assert self.exit_status() is None, self.log()
        return self

    def start(self) -> Service:
        """Start the sample application and wait until all its workers serve."""
        self.launch_and_wait()
        workers = int(self.environment["WEB_CONCURRENCY"])
        until(lambda: len(self.worker_pids_that_answer()) >= workers, "all workers serve")
        return self

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return self.get("/health")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def exit_status(self) -> int | None:
        """How the master ended; None while it runs."""
        assert self.process is not None
        return self.process.poll()

    def wait(self, seconds: float = 30) -> int:
        """Wait until the master has ended; gives its exit status."""
        assert self.process is not None
        return self.process.wait(seconds)

    def send(self, number: signal.Signals) -> None:
        """Send the master a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def interrupt(self) -> None:
        """Ctrl-C in its terminal: every process of the group gets SIGINT."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)

    def destroy(self) -> None:
        """End whatever is left of it, the embedded Postgres too."""
        self._forget_connection()
        if self.process is not None and self.exit_status() is None:
            self.interrupt()
            try:
                self.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for process in self.processes():
            process.kill()

    # --- what can be seen of it

    def log(self) -> str:
        """All that it has written."""
        return self.log_file.read_text(errors="replace")

    def processes(self) -> list[psutil.Process]:
        """Every process of this home, known by its environment or place: master, workers, their children, Postgres."""
        found = []
        for process in psutil.process_iter():
            try:
                named = process.environ().get("THETOOL_HOME") == str(self.home)
                ours = named or Path(process.cwd()).is_relative_to(self.home)
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def postgres(self) -> psutil.Process | None:
        """The postmaster of its embedded server."""
        try:
            servers = [process for process in self.processes() if process.name() == "postgres"]
            pids = {server.pid for server in servers}
            return next((server for server in servers if server.ppid() not in pids), None)
        except psutil.NoSuchProcess:  # while we looked
            return self.postgres()

    def workers(self) -> list[psutil.Process]:
        """The living children of the master that are gunicorn's."""
        assert self.process is not None
        try:
            master = psutil.Process(self.process.pid)
            command = master.cmdline()
            children = [child for child in master.children() if child.status() != psutil.STATUS_ZOMBIE]
            return [child for child in children if child.cmdline() == command]
        except psutil.NoSuchProcess:
            return []

    def open_connections(self) -> int:
        """How many callers are connected to the workers."""
        return sum(self.connections_of_workers())

    def connections_of_workers(self) -> list[int]:
        """How many callers are connected to each worker."""
        return [
            sum(each.status == psutil.CONN_ESTABLISHED and each.laddr.port == self.port for each in connections)
            for connections in (worker.net_connections("tcp") for worker in self.workers())
        ]

    def worker_pids(self) -> set[int]:
        """Their pids."""
        return {worker.pid for worker in self.workers()}

    def worker_pids_that_answer(self) -> set[int]:
        """Who answers on new connections; a few are asked."""
        return {self.get("/sample/pid")[1]["pid"] for _ in range(6)}

    # --- requests

    def get(self, path: str, timeout: float = 60) -> tuple[int, Any]:
        """GET on a new connection; status and JSON."""
        return self.request("GET", path, timeout=timeout)

    def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        """POST of JSON on a new connection; status and JSON."""
        return self.request("POST", path, body)

    @contextmanager
    def connection(self, timeout: float = 60) -> Iterator[http.client.HTTPConnection]:
        """A connection to it, which is closed afterwards."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            yield connection

    def request(self, method: str, path: str, body: Any = None, timeout: float = 60) -> tuple[int, Any]:
        """One request on a connection of its own."""
        with self.connection(timeout) as connection:
            return ask(connection, method, path, body)

    def submit(self, kind: str, seconds: float) -> str:
        """Make a job of a sample kind; gives its id."""
        status, answer = self.post(f"/sample/jobs/{kind}", {"seconds": seconds})
        assert status == 200, answer
        return str(answer["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """The job's row, out of the database itself."""
        asked = "select status, attempts, lost, worker_id, error from jobs where id = %s"
        try:
            return self._row(asked, job_id)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):  # Postgres was started anew since the last look
            self._forget_connection()
            return self._row(asked, job_id)

    def _row(self, statement: str, *values: Any) -> dict[str, Any]:
        if self._connection is None:
            self._connection = psycopg2.connect(self.database_url or EmbeddedServer(self.home).dsn)
            self._connection.autocommit = True
        with self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(statement, values)
            return dict(cursor.fetchone())

    def _forget_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def reload(self) -> set[int]:
        """HUP, and wait until other workers serve and the old ones are gone; gives the new ones' pids."""
        old, wanted = self.worker_pids(), int(self.environment["WEB_CONCURRENCY"])
        self.send(signal.SIGHUP)
        until(lambda: len(self.worker_pids() - old) == wanted and not self.worker_pids() & old, "new workers alone", 60)
        return self.worker_pids()

    def until_job(self, job_id: str, status: str, seconds: float = 30) -> dict[str, Any]:
        """Wait until the job has this status; gives its row."""
        until(lambda: self.job(job_id)["status"] == status, f"the job is {status}", seconds)
        return self.job(job_id)


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """One request on this connection; status and JSON."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text) if text else None
