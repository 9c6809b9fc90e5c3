"""Listeners of jobs while workers are reloaded, recycled, killed and started anew: no gap, no double."""

from __future__ import annotations

import json
import os
import signal

from tests.e2e.conftest import MakeService
from tests.e2e.hearing import (
    BEARER,
    count,
    heard_exactly_once,
    heard_until_closed,
    talking,
)
from tests.e2e.listening import Listener
from tests.e2e.service import Service, until


class Audience:
    """Listeners of a job that counts until they have heard enough."""

    def __init__(self, service: Service, size: int) -> None:
        self.service = service
        self.job_id = count(service, 10_000, 0.3)
        self.listeners: list[Listener] = []
        for _ in range(size):
            self.join()
        self.hears_on()

    def join(self) -> None:
        """One more listens."""
        self.listeners.append(Listener(self.service, f"/api/v1/jobs/{self.job_id}/events?after=0"))
        self.listeners[-1].start()

    def is_everywhere(self) -> bool:
        """Whether each worker has listeners; where one has none, one more comes."""
        if all(self.service.connections_of_workers()):
            return True
        self.join()
        return False

    def hears_on(self) -> None:
        """Wait until everybody has heard something new."""
        before = max(len(listener.progress()) for listener in self.listeners) + 1
        until(lambda: all(len(listener.progress()) > before for listener in self.listeners), "all hear of it", 90)

    def hears_the_end(self) -> None:
        """Let the job end; everybody has heard everything once."""
        (self.service.home / "enough").touch()
        for listener in self.listeners:
            listener.join(60)
            heard_exactly_once(self.service, listener, self.job_id)


def test_a_reload_is_no_gap_and_no_double(make_service: MakeService) -> None:
    """The job ends in its old worker, and those who listened in the other one come back to a new one."""
    service = make_service().start()
    audience = Audience(service, 6)
    until(audience.is_everywhere, "each worker has listeners")
    service.send(signal.SIGHUP)
    until(lambda: any(listener.connections > 1 for listener in audience.listeners), "some come back", 60)
    audience.hears_on()
    audience.hears_the_end()
    assert any("this process leaves" in comment for listener in audience.listeners for comment in listener.comments)
    assert "Traceback" not in service.log()


def test_recycling_and_a_job_handed_back_are_no_gap_and_no_double(make_service: MakeService) -> None:
    service = make_service(MAX_REQUESTS=50, GRACEFUL_TIMEOUT=1).start()
    audience = Audience(service, 10)
    before = service.worker_pids()
    until(lambda: service.get("/sample/pid")[0] == 200 and not before <= service.worker_pids(), "one is replaced", 60)
    audience.hears_on()
    service.reload()
    audience.hears_on()
    audience.hears_the_end()
    assert all(listener.connections > 1 for listener in audience.listeners)


def test_websockets_are_told_to_come_back(make_service: MakeService) -> None:
    service = make_service(GRACEFUL_TIMEOUT=1).start()
    job_id = service.submit("polite", 60)
    with talking(service, f"/ws/jobs/{job_id}", BEARER) as place:
        assert json.loads(place.recv())["event"] == "snapshot"
        service.send(signal.SIGHUP)
        assert heard_until_closed(place)[1] == 1012
    until(lambda: len(service.worker_pids()) == 2, "the new workers are alone", 30)
    with talking(service, f"/ws/jobs/{job_id}", BEARER) as place:
        assert json.loads(place.recv())["event"] == "snapshot"


def test_a_new_start_is_no_gap_and_no_double(make_service: MakeService) -> None:
    """A deploy: the service stops, its jobs are handed back, and it starts again."""
    service = make_service(GRACEFUL_TIMEOUT=1, WEB_CONCURRENCY=1).start()
    audience = Audience(service, 5)
    service.send(signal.SIGTERM)
    assert service.wait(15) == 0, "streams do not hold it up"
    service.start()
    audience.hears_on()
    audience.hears_the_end()
    assert all(listener.connections > 1 for listener in audience.listeners)


def test_killed_workers_lose_no_listener(make_service: MakeService) -> None:
    service = make_service(JOB_LEASE_SECONDS=3).start()
    audience = Audience(service, 6)
    for pid in service.worker_pids():
        os.kill(pid, signal.SIGKILL)
    audience.hears_on()
    audience.hears_the_end()
