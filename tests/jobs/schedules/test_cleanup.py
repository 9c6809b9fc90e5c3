"""What a cleanup removes, and what it leaves."""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.jobs.making import new_job, rows, until, wish
from tests.web.conftest import problem_of
from thetool.access.records import MASTER_OWNER_ID
from thetool.config import Settings
from thetool.database.connection import DatabaseUnavailable
from thetool.database.ids import new_id
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.schedules import cleanup as module
from thetool.jobs.schedules import retention
from thetool.jobs.schedules.cleanup import cleanup
from thetool.jobs.waiting import wait_for
from thetool.storage import blobs
from thetool.telemetry.logs import configure_logging

THINGS = ("jobs", "idempotency_keys", "rate_limits", "job_rates", "workers", "job_statistics", "lost_jobs")


@pytest.fixture(autouse=True)
def _sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the queue's own tables, and what the test's own application adds."""
    monkeypatch.setattr(module, "_sweeps", {name: module._sweeps[name] for name in THINGS})


def finished_job(queue: Queue, expires: str) -> str:
    job = new_job()
    queue.enqueue(job)
    (claim,) = queue.claim(wish())
    queue.progress(claim, 0.5, "half", None)
    queue.complete(claim, "{}")
    rows(queue.url, "update jobs set expires_at = now() + %s::interval where id = %s", expires, str(job.id))
    rows(
        queue.url,
        "insert into idempotency_keys (owner_id, key, request_hash, job_id, expires_at) "
        "values (%s, %s, '', %s, now() + interval '1 day')",
        str(MASTER_OWNER_ID),
        str(job.id),
        str(job.id),
    )
    return str(job.id)


def count(url: str, table: str) -> int:
    return int(rows(url, f"select count(*) from {table}")[0][0])  # noqa: S608


def fill(url: str) -> None:
    """One of each that is over, and one that is not."""
    for moment in ("- interval '1 second'", "+ interval '1 hour'"):
        rows(url, f"insert into rate_limits values ('{moment[0]}', 1, now() {moment})")  # noqa: S608
        rows(
            url,
            "insert into idempotency_keys (owner_id, key, request_hash, expires_at) "  # noqa: S608
            f"values ('{MASTER_OWNER_ID}', '{moment[0]}', '', now() {moment})",
        )
    for age in ("1 hour", "40 days"):
        rows(url, "insert into job_rates (key, starts) values (%s, array[now() - %s::interval])", age, age)
    for silence in (3, 3_000):
        rows(
            url,
            "insert into workers (id, host, pid, version, kinds, slots, heartbeat_at) "
            "values (%s, 'h', 1, '1', '{}', 1, now() - make_interval(secs => %s))",
            str(uuid4()),
            silence,
        )
    for period, age in (("minute", "1 hour"), ("minute", "7 hours"), ("hour", "7 hours"), ("hour", "31 days")):
        rows(
            url,
            "insert into job_statistics (period, begins, kind, durations) values (%s, now() - %s::interval, 'k', '{}')",
            period,
            age,
        )


def test_what_is_over_goes_and_the_rest_stays(queue: Queue, job_settings: Settings, here: None) -> None:
    gone, kept = finished_job(queue, "-1 second"), finished_job(queue, "1 hour")
    queue.enqueue(new_job())
    fill(queue.url)
    expected = {"jobs": 1, "idempotency_keys": 1, "rate_limits": 1, "job_rates": 1, "workers": 1}
    expected |= {"job_statistics": 2, "lost_jobs": 0}
    counted = cleanup(job_settings, dry_run=True)
    assert {name: counted.removed[name] for name in THINGS} == expected
    assert count(queue.url, "jobs") == 3
    done = cleanup(job_settings)
    assert done.complete
    assert not done.failed
    assert {name: done.removed[name] for name in THINGS} == expected
    assert {row[0] for row in rows(queue.url, "select id from jobs where status = 'completed'")} == {kept}
    assert count(queue.url, "jobs") == 2
    assert rows(queue.url, "select distinct job_id from job_events") == [(kept,)]
    assert {row[0] for row in rows(queue.url, "select key from idempotency_keys")} == {kept, "+"}
    assert gone not in {row[0] for row in rows(queue.url, "select job_id from idempotency_keys")}
    assert sum(cleanup(job_settings).removed.values()) == 0


def test_many_go_in_small_batches_past_what_is_locked(
    queue: Queue, job_settings: Settings, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 7)
    rows(
        queue.url,
        "insert into jobs (id, kind, queue, status, params, timeout_s, owner_id, expires_at) "
        "select gen_random_uuid(), 'sample.noop', 'cpu', 'failed', '{}', 1, %s, now() - interval '1 day' "
        "from generate_series(1, 50)",
        str(MASTER_OWNER_ID),
    )
    with queue.connection.transaction() as cursor:
        cursor.execute("select id from jobs limit 1 for update")
        assert cleanup(job_settings).removed["jobs"] == 49
    assert cleanup(job_settings).removed["jobs"] == 1


def test_a_child_stays_while_its_parent_may_read_its_result(queue: Queue, job_settings: Settings, here: None) -> None:
    child, parent = finished_job(queue, "-1 second"), new_job()
    queue.enqueue(parent)
    rows(queue.url, "update jobs set parent_id = %s where id = %s", str(parent.id), child)
    assert cleanup(job_settings).removed["jobs"] == 0
    queue.cancel(parent.id)
    assert cleanup(job_settings).removed["jobs"] == 1


def test_out_of_time_it_says_so(queue: Queue, job_settings: Settings, here: None) -> None:
    finished_job(queue, "-1 second")
    done = cleanup(job_settings, seconds=0)
    assert (done.complete, done.removed["jobs"]) == (False, 0)
    assert cleanup(job_settings, seconds=60).complete


def test_what_nobody_took_back_is_taken_back(queue: Queue, job_settings: Settings, here: None) -> None:
    jobs = [new_job(), new_job()]
    for job, age in zip(jobs, ("2 minutes", "5 seconds"), strict=True):
        queue.enqueue(job)
        queue.claim(wish())
        rows(queue.url, "update jobs set lease_expires_at = now() - %s::interval where id = %s", age, str(job.id))
    assert cleanup(job_settings, dry_run=True).removed["lost_jobs"] == 1
    assert cleanup(job_settings).removed["lost_jobs"] >= 1
    assert queue.status(jobs[0].id) == "queued"


def test_what_fails_keeps_nothing_else(
    queue: Queue, job_settings: Settings, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Any) -> int:
        raise OSError("the bucket is gone")

    monkeypatch.setattr(module, "_sweeps", {"odd": module.Sweep("odd", broken, broken), **module._sweeps})
    finished_job(queue, "-1 second")
    done = cleanup(job_settings)
    assert done.failed == {"odd": "OSError: the bucket is gone"}
    assert done.removed["jobs"] == 1


def test_what_takes_too_long_keeps_nothing_else(
    queue: Queue, job_settings: Settings, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(connection: Any) -> int:
        with connection.cursor() as cursor:
            cursor.execute("set statement_timeout = 50; select pg_sleep(60)")
        return 0

    monkeypatch.setattr(module, "_sweeps", {"slow": module.Sweep("slow", slow, slow), **module._sweeps})
    finished_job(queue, "-1 second")
    done = cleanup(job_settings)
    assert list(done.failed) == ["slow"]
    assert done.removed["jobs"] == 1


def test_it_ends_when_postgres_goes_away(
    queue: Queue, job_settings: Settings, here: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(connection: Any) -> int:
        rows(queue.url, "select pg_terminate_backend(%s)", connection.get_backend_pid())
        connection.cursor().execute("select 1")
        return 0

    monkeypatch.setattr(module, "_sweeps", {"cut": module.Sweep("cut", cut, cut), **module._sweeps})
    with pytest.raises(DatabaseUnavailable):
        cleanup(job_settings)


def test_route_removes_files_and_analyses_too(app: Flask, client: FlaskClient, master: dict[str, str]) -> None:
    with app.app_context():
        blob = blobs.store(b"x" * 10, owner_id=MASTER_OWNER_ID, media_type="text/plain")
    url = app.config["THETOOL_SETTINGS"].database_url
    rows(url, "update blobs set expires_at = now() - interval '1 second'")
    rows(
        url,
        "insert into analyses (id, owner_id, cache_key, kind, result, expires_at) "
        "values (%s, %s, '', 'text', '{}', now())",
        str(new_id()),
        str(MASTER_OWNER_ID),
    )
    dry = client.post("/api/v1/admin/cleanup?dry_run=true", headers=master).json
    assert (dry["removed"]["files"], dry["removed"]["analyses"], dry["dry_run"]) == (1, 1, True)
    assert rows(url, "select id from blobs") == [(str(blob.id),)]
    done = client.post("/api/v1/admin/cleanup", headers=master)
    assert done.status_code == 200
    assert (done.json["removed"]["files"], done.json["removed"]["analyses"]) == (1, 1)
    assert done.json["complete"]
    assert rows(url, "select count(*) from blobs, analyses") == [(0,)]


def test_route_needs_admin(client: FlaskClient, master: dict[str, str]) -> None:
    issued = client.post("/api/v1/keys", json={"name": "w", "scopes": ["read", "write"]}, headers=master).json["key"]
    for path, verb in (("cleanup", client.post), ("schedules", client.get), ("statistics", client.get)):
        problem_of(verb(f"/api/v1/admin/{path}", headers={"X-API-Key": issued}), 403, "forbidden")
        problem_of(verb(f"/api/v1/admin/{path}"), 401, "unauthenticated")


def test_route_says_what_could_not_be_removed(
    client: FlaskClient, master: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Any) -> int:
        raise OSError("secret words")

    monkeypatch.setattr(module, "_sweeps", {"odd": module.Sweep("odd", broken, broken)})
    problem = problem_of(client.post("/api/v1/admin/cleanup", headers=master), 503, "cleanup_incomplete")
    assert list(problem["failed"]) == ["odd"]


def test_the_job_says_what_it_removed_and_logs_nothing(
    runner: Runner, job_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    configure_logging(job_settings)
    queue, job = runner.queue, new_job(kind="system.cleanup", runs="housekeeping")
    rows(queue.url, "insert into rate_limits values ('a', 1, now() - interval '1 hour')")
    queue.enqueue(job)
    runner.wake()
    snapshot = wait_for(job.id, 30)
    assert snapshot.status == "completed"
    assert snapshot.result is not None
    assert snapshot.result["removed"]["rate_limits"] == 1
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []


def test_a_workers_clock_knows_the_housekeeping(runner: Runner, client: FlaskClient, master: dict[str, str]) -> None:
    until(lambda: count(runner.queue.url, "schedules") >= 2, "the schedules are known")
    items = client.get("/api/v1/admin/schedules", headers=master).json["items"]
    assert {item["name"]: item["rule"] for item in items} == {"cleanup": "every 300 s", "vacuum": "every 5 s"}
