"""After kill -9 of anything nothing is lost."""

from __future__ import annotations

import signal

from tests.e2e.conftest import MakeService
from tests.e2e.service import Traffic, until


def test_jobs_of_killed_workers_are_rescued_after_their_lease(make_service: MakeService) -> None:
    service = make_service(JOB_LEASE_SECONDS=1).start()
    killed = service.workers()
    jobs = [service.submit(kind, 2) for kind in ("polite", "child")]
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
        process.kill()
    service.process.wait()

    service.start()
    service.until_job(job, "completed")


def test_orphaned_workers_finish_open_requests_and_leave(make_service: MakeService) -> None:
    service = make_service().start()
    with Traffic(service, path="/sample/slow/0.5") as traffic:
        until(lambda: traffic.answered > 6, "traffic")
        service.process.kill()
        service.process.wait()
        until(lambda: not service.processes(), "the workers have left")
    assert {failure.split(": ")[1].split("(")[0] for failure in traffic.failures} <= {"ConnectionRefusedError"}
