"""`thetool jobs show --watch` against a service that plays the API's answers."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run
from tests.cli.played import JOB, Played
from thetool.cli import following


def test_watch_a_job(run: Run, service: Played) -> None:
    service.steps = [{"progress": 0.9}, {"status": "completed", "result": {"answer": 42}}]
    assert '"answer": 42' in run("jobs", "show", JOB, "--watch").stdout


def test_watch_tells_a_log_file_line_by_line(run: Run, service: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = {"status": "running", "stage": "reading", "progress": 0.1}
    service.steps = [
        {"status": "queued", "stage": None, "progress": 0.0},
        reading,
        {**reading, "progress": 0.2},
        {"stage": "scoring", "progress": 0.5},
        {"status": "completed", "stage": None, "result": {"answer": 42}},
    ]
    result = run("jobs", "show", JOB, "--watch")
    assert result.stderr.splitlines() == ["queued", "running  10 %  reading", "running  50 %  scoring", "completed"]
    assert '"answer": 42' in result.stdout
    monkeypatch.setattr(following, "LINE_SECONDS", 0.0)
    service.steps = [reading, reading, {"progress": 0.2}, {"status": "completed", "stage": None}]
    said = run("jobs", "show", JOB, "--watch").stderr.splitlines()
    assert said == ["running  10 %  reading", "running  20 %  reading", "completed"]
