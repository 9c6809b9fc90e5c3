"""`scripts/run` as tests start it, and programs to put in its way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.service import ROOT, until

SECONDS = 120


class Run:
    """One start of the script, in a session of its own as in a terminal."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        script: Path = ROOT / "scripts/run",
        identity: Any = None,
        **environment: Any,
    ) -> None:
        self.folder = folder
        self.home = folder / "a home with spaces"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.temporary.chmod(0o777)
        self.log_file = folder / "log"
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(self.temporary),
            "THETOOL_HOME": str(self.home),
            "THETOOL_VENV": sys.prefix,
            "WEB_CONCURRENCY": "1",
            "ENV_FILE": os.devnull,
        }
        variables |= {name: str(value) for name, value in environment.items()}
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                ["bash", script, *arguments],
                cwd=folder,
                env=variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **(identity or {}),
            )

    def log(self) -> str:
        return self.log_file.read_text()

    def wait_for(self, words: str) -> None:
        until(lambda: words in self.log() or self.process.poll() is not None, words, SECONDS)
        assert words in self.log(), self.log()

    def interrupt(self) -> int:
        """Ctrl-C: the terminal sends it to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)

    def status(self) -> int:
        return self.process.wait(SECONDS)

    def left_behind(self) -> list[str]:
        """Processes of its session or at work in its home, and temporary files."""
        found = [str(path) for path in self.temporary.iterdir()]
        for process in psutil.process_iter(["pid", "cwd", "cmdline"]):
            try:
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue  # has ended; whoever inherited it has not looked yet
                if os.getsid(process.pid) == self.process.pid or str(process.info["cwd"]).startswith(str(self.folder)):
                    found.append(str(process.info))
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue
        return found

    def destroy(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for process in psutil.process_iter(["cwd"]):
            if str(process.info["cwd"]).startswith(str(self.folder)):
                process.kill()


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path
