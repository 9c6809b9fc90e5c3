from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest

from tests.jobs.making import new_job, rows, until, wish
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
    keeper._give_back_unheard(queue)
    assert [queue.status(job.id) for job in (heard, unheard, fresh)] == ["running", "queued", "running"]
    assert rows(queue.url, "select attempts from jobs where id = %s", unheard.id) == [(0,)]


def test_claims_are_kept_while_the_end_of_a_job_holds_the_connection(queue: Queue, here: None) -> None:
    active, held, over, worker = ActiveJobs(), threading.Event(), threading.Event(), uuid4()
    for _ in range(2):
        queue.enqueue(new_job())
        active.add(Running(queue.claim(wish(worker))[0], None))  # type: ignore[arg-type]
    ending, other = active.all()
    rows(queue.url, "update jobs set lease_expires_at = now()")

    def hold(cursor: Any) -> None:
        held.set()
        over.wait(30)

    keeper = LeaseKeeper(queue, worker, active, kinds=lambda: [], slots=1)
    end = threading.Thread(target=lambda: queue.complete(ending.claim, "{}", callbacks=[hold]))
    turn = threading.Thread(target=keeper._turn)
    end.start()
    held.wait(10)
    turn.start()
    kept = "select lease_expires_at > now() from jobs where id = %s"
    try:
        until(lambda: rows(queue.url, kept, str(other.claim.id)) == [(True,)], "the other one is kept", 10)
    finally:
        over.set()
        end.join()
        turn.join()
    assert queue.status(ending.claim.id) == "completed"
