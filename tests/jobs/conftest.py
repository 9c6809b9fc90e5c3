"""Queues and runners on a database of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.jobs import sample_jobs
from tests.jobs.making import STRANGER, new_job, rows, until
from thetool.app import create_app
from thetool.config import Settings
from thetool.jobs import failure
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner

__all__ = ["sample_jobs"]


@pytest.fixture
def queue(database: str) -> Iterator[Queue]:
    """The queue of a fresh database, with short leases."""
    queue = Queue(database, lease=30)
    yield queue
    queue.close()


@pytest.fixture
def other(queue: Queue) -> Iterator[Queue]:
    """The same queue, as another process sees it."""
    other = Queue(queue.url, lease=queue.lease)
    yield other
    other.close()


@pytest.fixture
def job_settings(settings: Settings) -> Settings:
    """Two threads, one child, two threads for the network, a lease of 3 seconds."""
    slots = {"job_threads": 2, "job_processes": 1, "job_network_threads": 2}
    return settings.model_copy(update={**slots, "job_lease_seconds": 3.0})


@pytest.fixture
def away(job_settings: Settings, here: None) -> Iterator[Queue]:
    """No runner here, but one elsewhere offers the kinds and never gets to work: what is submitted stays queued."""
    queue = Queue(job_settings.database_url or "", lease=30)
    told = {"host": "", "pid": 1, "version": "", "slots": 1, "running": 0, "draining": False}
    queue.heartbeat(uuid4(), kinds=["sample.noop"], **told)
    yield queue
    queue.close()


@pytest.fixture
def app(job_settings: Settings) -> Flask:
    """The whole application, with those settings."""
    return create_app(job_settings)


@pytest.fixture
def api(client: FlaskClient, master: dict[str, str]) -> Any:
    """Sends requests with the master key; gives the answer."""

    def send(method: str, path: str, **more: Any) -> Any:
        return client.open(f"/api/v1/jobs{path}", method=method, headers={**master, **more.pop("headers", {})}, **more)

    return send


@pytest.fixture
def strangers_job(app: Flask, queue: Queue) -> UUID:
    """A job of another owner."""
    rows(queue.url, "insert into owners (id, name) values (%s, 'stranger')", str(STRANGER))
    job = new_job(owner_id=STRANGER)
    queue.enqueue(job)
    return job.id


@pytest.fixture
def strangers_key(app: Flask, client: FlaskClient, master: dict[str, str]) -> dict[str, str]:
    """Headers of a key of another owner than the master."""
    wanted = {"name": "a stranger", "scopes": ["read", "write"]}
    answer = client.post("/api/v1/keys", json=wanted, headers=master)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return {"Authorization": f"Bearer {answer.json['key']}"}


@pytest.fixture
def here(job_settings: Settings) -> Iterator[None]:
    """This process uses that database, without a runner."""
    local.configure(job_settings)
    yield
    local.configure(job_settings)


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is so at once."""
    monkeypatch.setattr(failure, "FIRST_RETRY_SECONDS", 0.02)


@pytest.fixture
def runner(job_settings: Settings, here: None) -> Iterator[Runner]:
    """A runner of this process, whose slots have looked for jobs and found none."""
    yield from _started(job_settings)


@pytest.fixture
def running(app: Flask, job_settings: Settings) -> Iterator[Runner]:
    """The same beside an application of this process."""
    yield from _started(job_settings)


def _started(settings: Settings) -> Iterator[Runner]:
    runner = Runner(settings)
    runner.start()
    until(lambda: all(group.at_rest() for group in runner.groups.values()), "the first looks are over")
    yield runner
    runner.close()
