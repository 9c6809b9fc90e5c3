"""A real service for the benchmarks: gunicorn and an embedded Postgres, on a free port, in a folder that goes after."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEY = "benchmark-master-key-0123456789abcdef"


@dataclass
class Service:
    """Where a running service is."""

    port: int
    process: subprocess.Popen[bytes]
    home: Path

    @property
    def headers(self) -> dict[str, str]:
        """What a JSON request with the key carries."""
        return {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def service(application: str = "wsgi:app", **environment: str) -> Iterator[Service]:
    """Start gunicorn with `environment` on top of sane settings for a benchmark; stop it at the end."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="thetool-bench-") as folder:
        home = Path(folder) / "home"
        log = (Path(folder) / "log").open("wb")
        settings = {
            "THETOOL_HOME": str(home),
            "MASTER_API_KEY": KEY,
            "PORT": str(port),
            "LOG_LEVEL": "WARNING",
            "WEIGHTS_DIR": str(Path(os.environ.get("WEIGHTS_DIR", Path.home() / ".thetool" / "weights"))),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "scripts/bench")]),
            **environment,
        }
        command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), application]
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=log, stderr=log)
        try:
            _wait_until_ready(port, process, Path(log.name))
            yield Service(port, process, home)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=90)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the service did not start:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"the service is not ready after 60 s:\n{log.read_text()[-3000:]}")
