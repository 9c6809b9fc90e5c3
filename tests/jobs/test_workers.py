"""Workers as processes of their own: killed, stopped, and with a Postgres that goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from tests.jobs.making import lives, make, new_job, rows, until
from thetool.config import Settings
from thetool.database.embedded import EmbeddedServer
from thetool.database.migrate import upgrade
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.waiting import look_at, wait_for

ROOT = Path(__file__).parents[2]
StartWorker = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def start_worker(job_settings: Settings, here: None) -> Iterator[StartWorker]:
    """Starts workers that run sample jobs: no Flask, a lease of 2 seconds, one thread and one child each."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "ENV_FILE": os.devnull,
        "DATABASE_URL": job_settings.database_url or "",
        "THETOOL_HOME": str(job_settings.home),
        "JOB_THREADS": "1",
        "JOB_LEASE_SECONDS": "2",
    }
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.jobs.worker_process"]
        worker = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(worker)
        assert worker.stdout
        UUID(worker.stdout.readline().strip())
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.wait()
        assert worker.stdout
        worker.stdout.close()


@pytest.fixture
def queue(job_settings: Settings) -> Iterator[Queue]:
    queue = Queue(job_settings.database_url or "", lease=2)
    yield queue
    queue.close()


def test_a_killed_workers_job_is_run_by_another(start_worker: StartWorker, queue: Queue, tmp_path: Path) -> None:
    first = start_worker()
    note = tmp_path / "note"
    job = new_job(kind="sample.sleep", params=f'{{"seconds": 1, "path": "{note}"}}')
    queue.enqueue(job)
    until(lambda: look_at(job.id).status == "running", "it runs")
    first.kill()
    start_worker()
    snapshot = wait_for(job.id, 60)
    assert (snapshot.status, snapshot.attempts) == ("completed", 2)
    assert rows(queue.url, "select lost from jobs") == [(1,)]
    assert note.read_text() == f"{job.id} 2\n"


def test_a_killed_workers_children_die_with_it(start_worker: StartWorker, queue: Queue, tmp_path: Path) -> None:
    worker = start_worker()
    note = tmp_path / "pids"
    queue.enqueue(
        new_job(kind="sample.child", runs="process", params=f'{{"text": "fork", "seconds": 60, "path": "{note}"}}')
    )
    until(lambda: note.exists() and note.read_text().count(" ") == 3, "the child runs")
    forked, _, _, child = map(int, note.read_text().split())
    worker.kill()
    until(lambda: not lives(child) and not lives(forked), "the child and what it forked are dead")


def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(
    start_worker: StartWorker, queue: Queue, tmp_path: Path
) -> None:
    sleeper = start_worker()
    job = new_job(kind="sample.sleep", params=f'{{"seconds": 1.5, "path": "{tmp_path / "note"}"}}')
    queue.enqueue(job)
    until(lambda: look_at(job.id).status == "running", "it runs")
    sleeper.send_signal(signal.SIGSTOP)
    start_worker()
    until(lambda: look_at(job.id).attempts == 2, "another worker has it")
    sleeper.send_signal(signal.SIGCONT)
    snapshot = wait_for(job.id, 60)
    assert (snapshot.status, snapshot.result and snapshot.result["attempt"]) == ("completed", 2)
    next_job = new_job()
    queue.enqueue(next_job)
    assert wait_for(next_job.id, 60).status == "completed"
    assert look_at(job.id) == snapshot


def test_a_worker_told_to_stop_hands_its_job_back(start_worker: StartWorker, queue: Queue) -> None:
    worker = start_worker()
    job = new_job(kind="sample.sleep", params='{"seconds": 60}')
    queue.enqueue(job)
    until(lambda: look_at(job.id).status == "running", "it runs")
    worker.terminate()
    assert worker.wait(60) == 0
    assert rows(queue.url, "select status, attempts, lost from jobs") == [("queued", 0, 0)]
    assert rows(queue.url, "select count(*) from workers") == [(0,)]


def test_two_workers_share_the_work_and_each_job_runs_once(
    start_worker: StartWorker, queue: Queue, tmp_path: Path
) -> None:
    for _ in range(2):
        start_worker()
    notes = tmp_path / "notes"
    jobs = [new_job(kind="sample.sleep", params=f'{{"seconds": 0.02, "path": "{notes}"}}') for _ in range(60)]
    for job in jobs:
        queue.enqueue(job)
    for job in jobs:
        assert wait_for(job.id, 60).status == "completed"
    assert sorted(notes.read_text().splitlines()) == sorted(f"{job.id} 1" for job in jobs)
    assert rows(queue.url, "select count(distinct worker_id) from jobs") == [(2,)]


def test_a_runner_outlives_a_restart_of_postgres(job_settings: Settings) -> None:
    """Jobs that run go on, and finish once Postgres is back; so do their waiters."""
    with tempfile.TemporaryDirectory(prefix="thetool-jobs-") as folder:
        server = EmbeddedServer(Path(folder))
        url = server.start(max_connections=50)
        settings = job_settings.model_copy(update={"database_url": url, "job_lease_seconds": 30.0})
        upgrade(settings)
        local.configure(settings)
        runner = Runner(settings)
        try:
            runner.start()
            running = make("sample.sleep", seconds=1.5)
            in_child = make("sample.child", text="sleep", seconds=1.5)
            until(lambda: runner.busy() == 2, "both run")
            server.stop()
            server.start(max_connections=50)
            for job_id in (running, in_child):
                snapshot = wait_for(job_id, 60)
                assert (snapshot.status, snapshot.attempts) == ("completed", 1)
            assert wait_for(make("sample.noop"), 60).status == "completed"
        finally:
            runner.close()
            server.stop()
