"""After kill -9 of anything nothing is lost."""

from __future__ import annotations

import fcntl
import signal
from contextlib import ExitStack, suppress

import psutil
import pytest

from tests.e2e.conftest import MakeService
from tests.e2e.service import until


def test_jobs_of_killed_workers_are_rescued_after_their_lease(make_service: MakeService) -> None:
    service = make_service(JOB_LEASE_SECONDS=1).start()
    killed = service.workers()
    jobs = [service.submit(kind, 2) for kind in ("polite", "in_child")]
    for job in jobs:
        service.until_job(job, "running")
    (child,) = until(lambda: [child for worker in killed for child in worker.children()], "the child runs")
    for worker in killed:
        worker.kill()
    until(lambda: not child.is_running(), "the child ended with its worker")
    for job in jobs:
        row = service.until_job(job, "completed")
        assert (row["attempts"], row["lost"]) == (2, 1)
    assert len(service.workers()) == 2


def test_new_start_after_a_killed_master(make_service: MakeService) -> None:
    service = make_service(embedded=True, WEB_CONCURRENCY=1).start()
    postgres = service.postgres()
    job = service.submit("polite", 3)
    until(lambda: service.job(job)["status"] == "running", "the job runs")
    service.process.kill()
    service.process.wait()

    service.start()
    assert service.postgres() == postgres
    row = service.until_job(job, "completed")
    assert (row["attempts"], row["lost"]) == (1, 0), "its worker handed it back"

    service.send(signal.SIGTERM)
    assert service.wait() == 0
    assert not service.processes()


def test_new_start_after_everything_was_killed(make_service: MakeService) -> None:
    service = make_service(embedded=True, WEB_CONCURRENCY=1, JOB_LEASE_SECONDS=1).start()
    job = service.submit("polite", 1)
    until(lambda: service.job(job)["status"] == "running", "the job runs")
    for process in service.processes():
        with suppress(psutil.NoSuchProcess):  # it ended with another
            process.kill()
    service.process.wait()

    service.start()
    service.until_job(job, "completed")


def test_the_master_works_on_while_a_dead_postgres_takes_its_time(make_service: MakeService) -> None:
    service = make_service(embedded=True, WEB_CONCURRENCY=1).start()
    with (service.home / "postgres/start.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # nobody can start it as long as this is held
        service.postgres().kill()
        until(lambda: "Postgres is gone" in service.log(), "its end is noticed")
        service.settings_file.write_text("DATABASE_POOL_SIZE=20\n")
        service.reload()
        assert "The embedded Postgres has room for 52 connections, and these settings may need 86" in service.log()
        assert service.get("/health/live")[0] == 200
        assert service.postgres() is None
    until(lambda: service.get("/api/v1/jobs")[0] == 200, "Postgres is back", 60)
    service.send(signal.SIGTERM)
    assert service.wait() == 0
    assert not service.processes()


def test_orphaned_worker_answers_who_is_connected_and_leaves(make_service: MakeService) -> None:
    service = make_service(WEB_CONCURRENCY=1).start()
    (worker,) = service.workers()
    worker.suspend()  # so that nobody takes the connections before the master is gone
    with ExitStack() as stack:
        callers = [stack.enter_context(service.connection()) for _ in range(20)]
        for caller in callers:
            caller.request("GET", "/health")
        service.process.kill()
        service.process.wait()
        worker.resume()
        assert [caller.getresponse().status for caller in callers] == [200] * 20
    until(lambda: not service.processes(), "the worker has left")
    with pytest.raises(ConnectionRefusedError):
        service.get("/health")
