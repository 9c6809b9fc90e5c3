"""Housekeeping is nobody's job: neither in the lists of those whose work it is not, nor in their way."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.jobs.making import make, new_job, rows, until
from thetool.access.records import MASTER_OWNER_ID
from thetool.config import Settings
from thetool.jobs import health
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.schedules import cleanup
from thetool.jobs.submit import QueueFull


def test_it_does_not_count_as_depth_nor_against_a_quota(queue: Queue) -> None:
    queue.enqueue(new_job())
    for _ in range(3):
        queue.enqueue(new_job(kind="system.cleanup", runs="housekeeping"))
    assert queue.depth(100) == 1
    assert queue.unfinished_of(MASTER_OWNER_ID, 100) == 1


def test_the_status_line_counts_what_lists_show(job_settings: Settings, queue: Queue) -> None:
    local.configure(job_settings)
    queue.enqueue(new_job())
    queue.enqueue(new_job(kind="system.cleanup", runs="housekeeping"))
    delivery = new_job(kind="webhooks.deliver")
    queue.enqueue(delivery)
    later = "update jobs set delivery_of = id, run_at = now() + interval '1 hour' where id = %s"
    rows(queue.url, later, str(delivery.id))
    told = health.queue()
    assert (told["depth"], told["running"]) == (1, 0)
    assert (told["queues"]["cpu"]["ready"], told["queues"]["cpu"]["scheduled"]) == (2, 1)


def test_lists_show_it_only_to_those_who_ask_for_it(client: FlaskClient, master: dict[str, str], database: str) -> None:
    for kind in ("analyze.text", "system.cleanup"):
        rows(
            database,
            "insert into jobs (id, kind, queue, params, timeout_s, owner_id) "
            "values (gen_random_uuid(), %s, 'cpu', '{}', 1, %s)",
            kind,
            str(MASTER_OWNER_ID),
        )

    def listed(query: str) -> list[str]:
        return [job["kind"] for job in client.get(f"/api/v1/jobs{query}", headers=master).json["items"]]

    assert listed("") == listed("?page=1") == listed("?status=queued") == ["analyze.text"]
    assert listed("?kind=system.cleanup") == ["system.cleanup"]


@pytest.fixture
def _sweeps_of_the_queue_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """An application of another test may have added its own."""
    own: dict[str, Any] = {"jobs": cleanup._sweeps["jobs"]}
    monkeypatch.setattr(cleanup, "_sweeps", own)


@pytest.mark.usefixtures("_sweeps_of_the_queue_only")
def test_neither_long_jobs_nor_a_full_queue_keep_it_from_its_time(job_settings: Settings, here: None) -> None:
    runner = Runner(job_settings.model_copy(update={"max_queued_jobs": 5}))
    runner.start()
    try:
        queue = runner.queue
        queue.enqueue_many([new_job(kind="sample.sleep", params='{"seconds": 60}') for _ in range(20)])
        runner.wake()
        until(lambda: runner.busy() >= 2, "all threads are taken")
        until(lambda: rows(queue.url, "select 1 from schedules where name = 'cleanup'"), "the schedule is known")
        rows(queue.url, "update schedules set next_run_at = now() - interval '1 second' where name = 'cleanup'")
        done = "select 1 from jobs where kind = 'system.cleanup' and status = 'completed'"
        until(lambda: rows(queue.url, done), "it ran all the same")
        with pytest.raises(QueueFull):
            make("sample.noop")
    finally:
        runner.close()
