"""The queues that are compared: where each lives, and how its processes are started, stopped and asked."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from queues.ticks import counted, latencies

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
WORKERS = 2
PATIENCE = 180.0
WARM_UP = 40


@dataclass
class Peer:
    """One queue. `packages` are installed into an environment of its own; none: this repository's."""

    name: str
    script: str
    packages: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    python: Path = Path(sys.executable)
    ticks: Path = Path()

    def install(self, folder: Path) -> None:
        """Make its virtual environment, unless it is there."""
        if not self.packages:
            return
        self.python = folder / self.script.removesuffix("_peer.py") / "bin/python"
        if not self.python.exists():
            print(f"installing {self.name} …", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", self.python.parents[1]], check=True)
            pip = [self.python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *self.packages]
            subprocess.run(pip, check=True, stdout=sys.stderr)

    def ask(self, *role: str) -> str:
        """Run its script in one role to the end; gives what it printed last."""
        done = subprocess.run([*self._command(), *role], env=self._surroundings(), stdout=subprocess.PIPE, check=True)
        return (done.stdout.decode().splitlines() or [""])[-1]

    @contextmanager
    def workers(self) -> Iterator[list[int]]:
        """Its workers, warm: they have run a few jobs. Gives their process groups."""
        started = [
            subprocess.Popen(
                [*self._command(), "work"],
                env=self._surroundings(),
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(WORKERS)
        ]
        try:
            time.sleep(1.0)
            self.settle(lambda: self.ask("load", str(WARM_UP)), WARM_UP)
            time.sleep(2.0)
            yield [worker.pid for worker in started]
        finally:
            for worker in started:
                _end(worker)

    def settle(self, act: Callable[[], object], count: int) -> float:
        """Act, and wait until so many more jobs have run; gives when the last one did."""
        before, _ = counted(self.ticks)
        act()
        deadline = time.monotonic() + PATIENCE
        while True:
            done, last = counted(self.ticks)
            if done - before >= count:
                return last
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: {done - before} of {count} jobs ran in {PATIENCE:.0f} s")
            time.sleep(0.005)

    @contextmanager
    def feeding(self, seconds: float) -> Iterator[None]:
        """Its queue is kept filled meanwhile."""
        feeder = subprocess.Popen([*self._command(), "feed", str(seconds)], env=self._surroundings())
        try:
            yield
        finally:
            feeder.kill()
            feeder.wait()

    def ran(self) -> int:
        """How many of its jobs have run."""
        return counted(self.ticks)[0]

    def latencies(self) -> list[float]:
        """What its jobs noted of themselves."""
        return latencies(self.ticks)

    def _command(self) -> list[str]:
        return [str(self.python), str(HERE / self.script)]

    def _surroundings(self) -> dict[str, str]:
        own = {"PYTHONPATH": str(ROOT)} if not self.packages else {}
        return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "BENCH_TICKS": str(self.ticks)} | (
            own | self.environment
        )


def _end(worker: subprocess.Popen[bytes]) -> None:
    """End a worker, stopped or not, and whatever it started; nothing of it may be left for the next measurement."""
    worker.terminate()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGCONT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def known_peers() -> list[Peer]:
    """TheTool's queue first, then the others."""
    return [
        Peer("TheTool", "thetool_peer.py"),
        Peer("Procrastinate 3.10.0", "procrastinate_peer.py", ("procrastinate==3.10.0", "psycopg[binary]==3.3.9")),
        Peer("PgQueuer 1.6.0", "pgqueuer_peer.py", ("pgqueuer[asyncpg]==1.6.0", "asyncpg==0.32.0")),
        Peer("Huey 3.5.4 + Redis", "huey_peer.py", ("huey==3.5.4", "redis==8.1.0")),
        Peer("Celery 5.7.0 + Redis", "celery_peer.py", ("celery[redis]==5.7.0", "redis==8.1.0")),
    ]
