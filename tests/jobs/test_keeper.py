from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.jobs.making import new_job, rows, wish
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.active import ActiveJobs, Running
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


def test_a_claim_whose_answer_was_lost_is_given_back(queue: Queue) -> None:
    worker, heard, unheard, fresh = uuid4(), new_job(), new_job(), new_job()
    active = ActiveJobs()
    for job in (heard, unheard, fresh):
        queue.enqueue(job)
        (claim,) = queue.claim(wish(worker))
        if job is heard:
            active.add(Running(claim, None))  # type: ignore[arg-type]
    rows(
        queue.url,
        "update jobs set started_at = now() - interval '1 minute' where id = any(%s::uuid[])",
        [heard.id, unheard.id],
    )
    keeper = LeaseKeeper(queue, worker, active, kinds=lambda: [], slots=1)
    keeper._give_back_unheard()
    assert [queue.status(job.id) for job in (heard, unheard, fresh)] == ["running", "queued", "running"]
    assert rows(queue.url, "select attempts from jobs where id = %s", unheard.id) == [(0,)]
