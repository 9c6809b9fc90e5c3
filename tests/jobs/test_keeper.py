from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.jobs.making import new_job, rows, wish
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.active import ActiveJobs
from thetool.jobs.keeper import LeaseKeeper
from thetool.jobs.queue import Queue


def test_after_an_outage_others_may_renew_before_their_jobs_are_taken(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres was away for longer than a lease: then all workers were silent, and all of them live."""
    job = new_job()
    queue.enqueue(job)
    assert queue.claim(wish(uuid4()))
    rows(queue.url, "update jobs set lease_expires_at = now() - interval '1 second'")
    keeper = LeaseKeeper(queue, uuid4(), ActiveJobs(), kinds=lambda: [], slots=1)

    def away(*arguments: Any, **more: Any) -> None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as outage:
        outage.setattr(queue, "heartbeat", away)
        assert not keeper._turn()
    assert keeper._turn()
    assert queue.status(job.id) == "running"
    assert keeper._turn()
    assert queue.status(job.id) == "queued"
