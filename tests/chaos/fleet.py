"""The workers that the storm is let loose on: bare runners, one behind a proxy, one with a clock of its own."""

from __future__ import annotations

import glob
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.chaos.proxy import Proxy
from tests.e2e.service import KEY

ROOT = Path(__file__).parents[2]
LEASE_SECONDS = 3
FAKETIME = next(iter(sorted(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))), None)


class Fleet:
    """Worker processes by name: `plain`, `proxied`, `clock`; one that was killed is replaced under its name."""

    def __init__(self, folder: Path, url: str, proxy: Proxy) -> None:
        self._folder = folder
        self.clock_file = folder / "clock"
        self.clock_file.write_text("+0")
        self._addresses = {
            "plain": url,
            "proxied": f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres?sslmode=disable",
            "clock": url,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.pids: set[int] = set()
        """Of all that ever ran."""
        for name in self._addresses:
            self.start(name)

    def start(self, name: str) -> None:
        """Start the worker of that name."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "ENV_FILE": os.devnull,
            "DATABASE_URL": self._addresses[name],
            "THETOOL_HOME": str(self._folder / "home"),
            "JOB_THREADS": "2",
            "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
            "MASTER_API_KEY": KEY,
            "WEBHOOK_ALLOW_PRIVATE": "true",
        }
        if name == "clock" and FAKETIME:
            environment |= {
                "LD_PRELOAD": FAKETIME,
                "FAKETIME_TIMESTAMP_FILE": str(self.clock_file),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # the wall's clock jumps, the one that measures time does not
                "DONT_FAKE_MONOTONIC": "1",
            }
        with (self._folder / f"{name}.log").open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.worker_process"], env=environment, cwd=ROOT, stdout=log, stderr=log
            )
        self.processes[name] = worker
        self.pids.add(worker.pid)

    def end(self, name: str, number: signal.Signals) -> None:
        """End a worker, and start another in its place."""
        worker = self.processes[name]
        worker.send_signal(number)
        worker.send_signal(signal.SIGCONT)
        worker.wait(60)
        self.start(name)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send the worker a signal."""
        self.processes[name].send_signal(number)

    def jump(self, offset: str) -> None:
        """Set the clock of `clock`: "+2h", "-1d"."""
        whole = self.clock_file.with_name("clock.new")
        whole.write_text(offset)
        whole.replace(self.clock_file)

    def close(self) -> dict[str, int]:
        """Tell all to stop, in good order; gives how they ended."""
        for worker in self.processes.values():
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        return {name: worker.wait(60) for name, worker in self.processes.items()}

    def destroy(self) -> None:
        """End what is left."""
        for worker in self.processes.values():
            worker.kill()
            worker.wait()

    def log(self) -> str:
        """What all of them wrote."""
        return "\n".join(file.read_text(errors="replace") for file in sorted(self._folder.glob("*.log")))
