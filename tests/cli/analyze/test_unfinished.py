"""Analyses that take longer: they are jobs, which are followed, fail, and are left by Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import Run
from tests.cli.played import JOB, Played, analysis
from thetool.cli import following


def test_long_text_runs_as_a_job(run: Run, service: Played) -> None:
    service.steps = [{"progress": 0.5}, {"status": "completed", "result": analysis("long")}]
    result = run("analyze", "--text", "long", "--json")
    assert json.loads(result.stdout)["result"]["sentiment"]["label"] == "positive"


def test_failed_job(run: Run, service: Played) -> None:
    service.steps = [{"status": "failed", "error": {"code": "timeout", "message": "It took too long"}}]
    result = run("analyze", "--text", "long")
    assert result.exit_code == 1
    assert result.stderr == f"Error: The job {JOB} failed: It took too long (timeout)\n"


def test_no_longer_than_asked(run: Run, service: Played) -> None:
    result = run("analyze", "--text", "long", "--wait", "0")
    assert result.exit_code == 0
    assert result.stdout == f"Not finished yet; see: thetool jobs show {JOB}\n"
    assert service.sent[0]["prefer"] == "wait=0"


@pytest.mark.parametrize(("answer", "status"), [("y\n", "cancelled"), ("n\n", "running")])
def test_interrupted(run: Run, service: Played, monkeypatch: pytest.MonkeyPatch, answer: str, status: str) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(following.Service, "get", interrupt)
    monkeypatch.setattr(following, "_can_be_asked", lambda: True)
    result = run("analyze", "--text", "long", input=answer)
    assert result.exit_code == 130
    assert service.job["status"] == status
    assert "Cancel the job" in result.stderr


def test_interrupted_where_nobody_can_be_asked(service: Played) -> None:
    command = [sys.executable, "-m", "thetool.cli", "analyze", "--text", "long"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not service.asked:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.decode() == f"The job goes on; see: thetool jobs show {JOB}\n"
    assert service.job["status"] == "running"
