from __future__ import annotations

import threading
import time
from uuid import uuid4

import pytest

from tests.jobs.making import make, new_job, rows, until, wish
from thetool.jobs import waiting
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.waiting import wait_for
from thetool.web.problems import NotFound

WORKER = uuid4()


def finish_elsewhere(url: str) -> None:
    """Claim and complete the next job, as another process."""
    other = Queue(url)
    (claim,) = other.claim(wish(kind="elsewhere.only"))
    assert other.complete(claim, '{"where": "elsewhere"}')
    other.close()


def test_an_unknown_job_is_not_waited_for(runner: Runner) -> None:
    with pytest.raises(NotFound):
        wait_for(uuid4(), 30)


def test_patience_has_an_end(runner: Runner) -> None:
    job_id = make("sample.sleep", seconds=60)
    assert wait_for(job_id, 0.05).status == "running"
    assert wait_for(job_id, 0).status == "running"


def test_so_many_may_wait_and_the_next_is_answered_at_once(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = make("sample.sleep", seconds=60)
    monkeypatch.setattr(waiting, "MOST_WAITING", 1 / runner.settings.threads)
    first = threading.Thread(target=wait_for, args=(job_id, 60))
    first.start()
    until(lambda: local.waiters.count == 1, "the first waits")
    assert wait_for(job_id, 600).status == "running"
    local.waiters.dismiss()
    first.join(30)
    local.waiters.dismissed = False
    assert local.waiters.count == 0


def test_a_finished_job_is_not_waited_for(runner: Runner) -> None:
    job_id = make("sample.noop")
    wait_for(job_id, 30)
    began = time.monotonic()
    assert wait_for(job_id, 300).status == "completed"
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("process_has_a_runner", [True, False])
def test_a_job_that_finishes_elsewhere_is_heard_of(
    request: pytest.FixtureRequest, here: None, queue: Queue, process_has_a_runner: bool
) -> None:
    if process_has_a_runner:
        request.getfixturevalue("runner")
    job = new_job(kind="elsewhere.only")
    queue.enqueue(job)
    timer = threading.Timer(0.3, finish_elsewhere, [queue.url])
    timer.start()
    snapshot = wait_for(job.id, 60)
    timer.join()
    assert (snapshot.status, snapshot.result) == ("completed", {"where": "elsewhere"})


def test_several_may_wait_for_one_job(runner: Runner) -> None:
    job_id = make("sample.sleep", seconds=0.5)
    seen: list[str] = []
    threads = [threading.Thread(target=lambda: seen.append(wait_for(job_id, 60).status)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["completed"] * 10
    assert local.waiters._waiting == {}
    assert str(job_id) not in local.waiters._fresh


def test_a_job_that_runs_and_is_waited_for_here_asks_the_database_nothing(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(lambda: runner.groups["thread"].at_rest(), "its first look is over")
    runner.watcher.close()
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 60)
    asked: list[str] = []
    for connection in (runner.queue.connection, local.queue.connection):
        run = connection.run
        monkeypatch.setattr(
            connection,
            "run",
            lambda name, values=None, run=run, **more: asked.append(name) or run(name, values, **more),
        )
    assert wait_for(make("sample.noop"), 30).status == "completed"
    ours = [name for name in asked if name in {"enqueue", "enqueue_claimed", "complete", "snapshot"}]
    assert ours == ["enqueue_claimed", "complete"]


def test_another_process_hears_of_a_job_that_nobody_waits_for_here(runner: Runner) -> None:
    heard = threading.Event()
    from thetool.database.listen import Listener

    listener = Listener(runner.queue.url)
    job_ids: list[str | None] = []

    def hear(payload: str | None) -> None:
        job_ids.append(payload)
        if payload is None or payload == str(job_id):
            heard.set()

    job_id = uuid4()
    listener.subscribe("thetool_jobs_done", hear)
    listener.start()
    assert heard.wait(30)
    heard.clear()
    job_id = make("sample.sleep", seconds=0.3)
    assert heard.wait(30)
    listener.close()


def test_no_connection_is_held_while_waiting(runner: Runner) -> None:
    job_id = make("sample.sleep", seconds=1)
    threads = [threading.Thread(target=wait_for, args=(job_id, 30)) for _ in range(50)]
    for thread in threads:
        thread.start()
    ours = "application_name like 'thetool %' and datname = current_database()"
    counted = rows(runner.queue.url, f"select count(*) from pg_stat_activity where {ours}")
    for thread in threads:
        thread.join()
    assert counted == [(3,)]
