"""Leaving without loss: reload, SIGTERM, SIGINT, and jobs that take longer than the service waits."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from tests.e2e.conftest import MakeService
from tests.e2e.service import Service, until
from tests.e2e.traffic import Traffic

UNUSED = {"attempts": 0, "lost": 0}
FIRST_TRY = {"status": "completed", "attempts": 1, "lost": 0}


def seen(job: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: job[name] for name in names or ("status", "attempts", "lost")}


def test_reload_refuses_no_request_and_loses_no_job(service: Service) -> None:
    jobs = [service.submit("polite", 5), service.submit("stubborn", 3), service.submit("in_child", 3)]
    service.until_job(jobs[0], "running")
    with Traffic(service) as traffic:
        new = service.reload()
        until(lambda: traffic.pids >= new, "the new workers serve")
    assert traffic.failures == []
    assert traffic.answered > 50
    for job in jobs:
        assert seen(service.until_job(job, "completed")) == FIRST_TRY


def test_old_workers_serve_until_the_new_ones_are_ready(service: Service) -> None:
    old = service.worker_pids()
    obstacle = service.home / "wait-with-the-boot"
    obstacle.touch()
    service.send(signal.SIGHUP)
    until(lambda: len(service.worker_pids()) == 4, "the new workers boot")
    assert {service.get("/sample/pid")[1]["pid"] for _ in range(20)} <= old
    obstacle.unlink()
    until(lambda: len(service.worker_pids()) == 2 and not service.worker_pids() & old, "new workers alone")


def test_reload_lets_open_requests_end(service: Service) -> None:
    answers: list[tuple[int, Any]] = []
    slow = threading.Thread(target=lambda: answers.append(service.get("/sample/slow/4.0")))
    slow.start()
    service.reload()
    slow.join()
    assert answers[0][0] == 200


def test_reloads_one_upon_the_other(service: Service) -> None:
    first = service.worker_pids()
    with Traffic(service) as traffic:
        for _ in range(5):
            service.send(signal.SIGHUP)
        until(lambda: not service.worker_pids() & first and len(service.worker_pids()) == 2, "two new workers", 60)
    assert traffic.failures == []


def test_sigterm_answers_while_the_job_ends_then_closes_the_port(make_service: MakeService) -> None:
    service = make_service().start()
    job = service.submit("polite", 5)
    service.until_job(job, "running")
    answered_late = False
    with Traffic(service) as traffic:
        service.send(signal.SIGTERM)
        while service.job(job)["status"] == "running" and not traffic.failures:
            before = traffic.answered
            until(lambda: traffic.answered > before or traffic.failures, "an answer")  # noqa: B023
            answered_late = True
        assert answered_late
        assert seen(service.job(job)) == FIRST_TRY
        assert service.wait() == 0
    # The port was closed while clients asked on: they were refused, and nobody was cut off in the middle.
    assert {failure.split(": ")[1].split("(")[0] for failure in traffic.failures} <= {"ConnectionRefusedError"}
    assert not service.processes()


def test_jobs_longer_than_the_graceful_timeout_are_handed_back(make_service: MakeService) -> None:
    service = make_service(GRACEFUL_TIMEOUT=1, JOB_THREADS=2, WEB_CONCURRENCY=1).start()
    jobs = [service.submit(kind, 4) for kind in ("polite", "stubborn", "in_child")]
    for job in jobs:
        service.until_job(job, "running")
    service.send(signal.SIGTERM)
    assert service.wait() == 0
    assert [seen(service.job(job)) for job in jobs] == [{"status": "queued", **UNUSED}] * 3
    assert not service.processes()

    service.start()
    assert [seen(service.until_job(job, "completed")) for job in jobs] == [FIRST_TRY] * 3


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGQUIT])
def test_sigint_hands_back_at_once(make_service: MakeService, way: signal.Signals) -> None:
    service = make_service(JOB_THREADS=2, WEB_CONCURRENCY=1).start()
    jobs = [service.submit(kind, 60) for kind in ("polite", "stubborn", "in_child")]
    for job in jobs:
        service.until_job(job, "running")
    service.send(way)
    assert service.wait(15) == 0
    assert [seen(service.job(job)) for job in jobs] == [{"status": "queued", **UNUSED}] * 3
    assert "was sent SIGKILL" not in service.log()
    assert not service.processes()


def test_waiting_callers_are_answered_before_the_service_stops(make_service: MakeService) -> None:
    service = make_service(GRACEFUL_TIMEOUT=1, WEB_CONCURRENCY=1).start()
    job = service.submit("stubborn", 60)
    service.until_job(job, "running")
    answers: list[tuple[int, Any]] = []
    waiting = threading.Thread(target=lambda: answers.append(service.get(f"/api/v1/jobs/{job}?wait=60")))
    waiting.start()
    until(service.open_connections, "the request has come")
    service.send(signal.SIGTERM)
    waiting.join()
    assert [(status, body["status"]) for status, body in answers] == [(200, "queued")]
    assert service.wait() == 0


def test_ctrl_c_during_a_drain_ends_it(make_service: MakeService) -> None:
    service = make_service().start()
    job = service.submit("stubborn", 60)
    service.until_job(job, "running")
    service.send(signal.SIGTERM)
    until(lambda: len(service.worker_pids()) == 1, "the idle worker has left")
    service.interrupt()
    assert service.wait(15) == 0
    assert seen(service.job(job)) == {"status": "queued", **UNUSED}
