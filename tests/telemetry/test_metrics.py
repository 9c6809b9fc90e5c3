"""Counts of all processes are added up, those of the dead too, and never twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from thetool.config import Settings
from thetool.telemetry import metrics, probe_metrics
from thetool.telemetry.health import register_probe
from thetool.telemetry.shared_counts import share_counts

COUNT = """
import os, sys
from thetool.telemetry.metrics import exposition, observe_request
for _ in range(int(sys.argv[1])):
    observe_request("GET", "/items/<id>", 200, 0.004)
if len(sys.argv) > 2:
    sys.stdout.write(exposition().decode())
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    share_counts(Settings(THETOOL_HOME=tmp_path))
    yield Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def counted(*arguments: object) -> str:
    command = [sys.executable, "-c", COUNT, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def value(text: str, name: str, **labels: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_dead_processes_count_and_their_files_go(folder: Path) -> None:
    for number in (3, 4, 5):
        counted(number)
    assert len(list(folder.glob("*.db"))) == 9
    for seen in (13, 14, 15):
        text = counted(1, "show")
        assert value(text, "http_requests_total", route="/items/<id>", method="GET", status="200") == seen
        assert value(text, "http_request_duration_seconds_count") == seen
        assert value(text, "http_request_duration_seconds_bucket", le="0.005") == seen
        assert value(text, "http_request_duration_seconds_bucket", le="0.002") == 0
    assert len(list(folder.glob("*.db"))) == 5  # the retired, and the last to show


def test_what_a_dead_process_had_is_no_more(folder: Path) -> None:
    had = "from thetool.telemetry import metrics; metrics.observe_streams(7); metrics.observe_messages(9)"
    subprocess.run([sys.executable, "-c", had], check=True)
    text = counted(1, "show")
    assert value(text, "streams_open") == 0
    assert value(text, "stream_messages_total") == 9


def test_a_merge_that_was_killed_leaves_no_trap(folder: Path) -> None:
    counted(2)
    (folder / "counter_retired.new").write_bytes(b"half written")
    assert value(counted(1, "show"), "http_requests_total") == 3


def test_live_processes_are_left_alone(folder: Path) -> None:
    (folder / f"counter_{os.getpid()}.db").write_bytes(b"\x08\0\0\0\0\0\0\0")
    counted(1, "show")
    assert (folder / f"counter_{os.getpid()}.db").exists()


def test_folder_is_ours_alone(folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0


def test_switched_off_nothing_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    share_counts(Settings(THETOOL_HOME=tmp_path, METRICS_ENABLED="false"))
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ


def test_invented_methods_are_one_label() -> None:
    before = value(metrics.exposition().decode(), "http_requests_total", method="OTHER")
    for number in range(50):
        metrics.observe_request(f"EVIL{number}", "/odd", 405, 0.001)
    text = metrics.exposition().decode()
    assert value(text, "http_requests_total", method="OTHER") == before + 50
    assert "EVIL" not in text


def test_jobs_are_counted_by_kind() -> None:
    metrics.observe_job("tests.kind", "completed", 0.3)
    metrics.observe_job("tests.kind", "failed", 40)
    text = metrics.exposition().decode()
    assert value(text, "jobs_total", kind="tests.kind", status="completed") == 1
    assert value(text, "job_duration_seconds_count", kind="tests.kind") == 2
    assert value(text, "job_duration_seconds_bucket", kind="tests.kind", le="30.0") == 1


def test_probes_become_gauges() -> None:
    def away() -> dict[str, object]:
        raise RuntimeError("away")

    told = {"ready": 3, "scheduled": 1, "running": 2, "oldest_ready_seconds": 1.5}
    register_probe("queue", lambda: {"queues": {"cpu": told, "gpu": told | {"oldest_ready_seconds": None}}})
    register_probe("workers", lambda: {"count": 2})
    register_probe("database", away)
    metrics.register_collector("probes", probe_metrics.collect)
    text = metrics.exposition().decode()
    assert value(text, "jobs_current", queue="cpu", state="ready") == 3
    assert value(text, "jobs_oldest_ready_seconds") == 1.5
    assert value(text, "workers_live") == 2
    assert value(text, "probe_well", probe="queue") == 1
    assert value(text, "probe_well", probe="database") == 0
    assert "database_connections" not in text


def test_rooms_add_their_own_and_failing_ones_are_left_out() -> None:
    def fail() -> list[GaugeMetricFamily]:
        raise RuntimeError("broken")

    metrics.register_collector("broken", fail)
    metrics.register_collector("queue", lambda: [GaugeMetricFamily("jobs_waiting", "Jobs that wait.", value=7)])
    assert value(metrics.exposition().decode(), "jobs_waiting") == 7
