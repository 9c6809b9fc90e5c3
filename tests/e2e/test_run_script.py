"""`scripts/run`, the first command of the README: what it does."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.e2e.run_script import Run, program
from tests.e2e.service import ROOT, free_port, until

needs_virtual_environment = pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="the tests run outside of one")


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
    assert re.findall(rf".*{key}.*", run.log()) == [f"  API key: {key}  (kept in {run.home}/master.key)"]
    assert re.findall(r".*igration.*", run.log())[0].count("migrations applied") == 1
    assert len(re.findall(r".*igration.*", run.log())) == 1

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
def test_a_key_that_was_set_is_not_shown_and_host_and_port_may_be_chosen(
    folder: Path, runs: list[Run], weights_dir: Path
) -> None:
    key, port = "a-key-that-is-nobody-elses-business-0123456789", free_port()
    run = Run(folder, "--host", "127.0.0.2", PORT=port, WEIGHTS_DIR=weights_dir, MASTER_API_KEY=key)
    runs.append(run)
    run.wait_for("Ctrl-C stops it")
    assert f"http://127.0.0.2:{port}" in run.log()
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
