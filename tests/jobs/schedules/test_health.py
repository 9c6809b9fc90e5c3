"""What health says of the queue, and who holds back VACUUM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.jobs.making import make, new_job, rows, until, wish
from thetool.database import health as database_health
from thetool.jobs import health as jobs_health
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.schedules import statistics
from thetool.jobs.schedules.tally import tally
from thetool.jobs.waiting import wait_for
from thetool.telemetry import health


@pytest.fixture(autouse=True)
def _readings_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "YOUNG_SECONDS", 0)
    monkeypatch.setattr(health, "OLD_SECONDS", 0.2)


@contextmanager
def open_transaction(url: str, name: str) -> Iterator[Any]:
    """A transaction that has looked at something, and stays open."""
    with closing(psycopg2.connect(url, application_name=name)) as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from jobs")
            yield cursor


def detailed(client: FlaskClient, master: dict[str, str]) -> dict[str, Any]:
    report: dict[str, Any] = client.get("/health/detailed", headers=master).json
    return report


def test_who_holds_back_vacuum_is_named(
    app: Flask, client: FlaskClient, master: dict[str, str], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_transaction(database, "nightly report"):
        oldest = until(lambda: detailed(client, master)["services"]["database"]["oldest_transaction"], "it is seen")
        assert (oldest["application_name"], oldest["state"]) == ("nightly report", "idle in transaction")
        assert detailed(client, master)["warnings"] == []
        monkeypatch.setattr(database_health, "LONG_SECONDS", 0)
        until(lambda: detailed(client, master)["status"] == "warning", "it is warned about")
        report = detailed(client, master)
        assert report["services"]["database"]["status"] == "warning"
        (warning,) = report["warnings"]
        assert re.match(
            r"database: nightly report \(pid \d+, idle in transaction\) holds back VACUUM for \d+ s", warning
        )
        text = client.get("/metrics", headers=master).text
        assert float(re.search(r"^database_oldest_transaction_seconds (\S+)", text, re.MULTILINE)[1]) > 0  # type: ignore[index]
    until(lambda: detailed(client, master)["warnings"] == [], "it is over")


def test_a_queue_is_told_with_what_waits_runs_and_is_lost(
    app: Flask, client: FlaskClient, master: dict[str, str], queue: Queue
) -> None:
    for _ in range(3):
        queue.enqueue(new_job())
    claims = [*queue.claim(wish()), *queue.claim(wish())]
    assert len(claims) == 2
    rows(queue.url, "update jobs set lease_expires_at = now() - interval '1 s' where id = %s", str(claims[0].id))
    rows(queue.url, "update jobs set run_at = now() - interval '40 s' where status = 'queued'")
    body = client.get("/api/v1/health/workers", headers=master).json
    told = body["queues"]["cpu"]
    assert told.pop("oldest_ready_seconds") == pytest.approx(40, abs=30)
    assert told == {"ready": 1, "scheduled": 0, "running": 2, "lost": 1}
    assert body["rates"]["enqueued_per_minute"] == pytest.approx(3 / 5, rel=0.26)
    assert set(detailed(client, master)["services"]["queue"]["dead_rows"]) >= {"jobs", "job_events", "workers"}
    text = client.get("/metrics", headers=master).text
    assert 'jobs_current{queue="cpu",state="lost"} 1.0' in text
    assert 'database_dead_rows{table="jobs"}' in text


def test_what_ended_is_told_by_kind(runner: Runner) -> None:
    tally.take()
    for job_id in [make("sample.noop") for _ in range(5)] + [make("sample.fail", text="no") for _ in range(2)]:
        wait_for(job_id, 30)
    until(lambda: sum(sum(c.outcomes.values()) for c in tally._counts.values()) == 7, "all are counted")
    statistics.write(runner.queue)
    told = jobs_health.queue()
    assert told["rates"]["finished_per_minute"] == pytest.approx(7 / 5, rel=0.26)
    assert told["rates"]["failed_per_minute"] == pytest.approx(2 / 5, rel=0.26)
    assert told["rates"]["enqueued_per_minute"] == pytest.approx(7 / 5, rel=0.26)
    assert told["kinds"]["sample.noop"]["p50_ms"] > 0
    assert told["kinds"]["sample.noop"]["p95_ms"] >= told["kinds"]["sample.noop"]["p50_ms"]


def test_many_dead_rows_are_a_warning(queue: Queue, here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_health, "dead_rows", lambda _: [("jobs", 173_000, 10)])
    assert jobs_health.queue()["warnings"] == ["table jobs has 173,000 dead rows"]
