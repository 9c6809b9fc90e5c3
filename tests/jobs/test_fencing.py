"""What a claim may still do once it is old, renewed, rescued, handed back or cancelled."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.jobs.making import WORKER, expire, put, rows, take, wish
from thetool.jobs.claims import Claim, Ending
from thetool.jobs.failure import Failure
from thetool.jobs.queue import Queue

NO_WISH = wish(WORKER, "sample.none")
FAILURE = Failure("broken", "It broke.")


def test_an_old_claim_finishes_nothing_and_the_next_job_is_taken_all_the_same(queue: Queue) -> None:
    job_id = put(queue)
    old = take(queue)
    queue.hand_back(WORKER)
    done, (following,) = queue.complete_and_claim([Ending(old, '{"late": true}')], wish(WORKER))
    assert not done
    assert following.id == job_id
    snapshot = queue.snapshot(job_id)
    assert snapshot
    assert (snapshot.status, snapshot.result) == ("running", None)


def old_claim_does_nothing(queue: Queue, claim: Claim) -> None:
    before = queue.snapshot(claim.id)
    assert queue.renew([claim]) == {}
    assert not queue.progress(claim, 0.5, "stage", "message")
    assert not queue.complete(claim, '{"late": true}')
    assert not queue.complete(claim, '{"late": true}', callbacks=[lambda cursor: pytest.fail("called")])
    assert queue.complete_and_claim([Ending(claim, '{"late": true}')], NO_WISH) == (set(), [])
    assert queue.give_back([claim]) == []
    assert queue.fail(claim, FAILURE) is None
    assert queue.retry(claim, FAILURE, 0) is None
    assert queue.finish_cancelled(claim) is None
    assert queue.snapshot(claim.id) == before
    assert rows(queue.url, "select count(*) from job_events where job_id = %s", str(claim.id)) == [(0,)]


def test_an_old_claim_changes_nothing_once_another_worker_has_the_job(queue: Queue, other: Queue) -> None:
    job_id = put(queue)
    old = take(queue)
    expire(queue, job_id)
    assert other.rescue() == [(job_id, "sample.noop", "queued", 1)]
    old_claim_does_nothing(queue, old)
    new = take(other, uuid4())
    assert (new.id, new.attempt) == (job_id, 2)
    assert new.token != old.token
    old_claim_does_nothing(queue, old)
    assert other.complete(new, '{"late": false}')
    old_claim_does_nothing(queue, old)


def test_an_old_claim_of_the_same_worker_changes_nothing(queue: Queue) -> None:
    """A token is of a claim, not of a worker."""
    put(queue)
    old = take(queue)
    queue.hand_back(WORKER)
    new = take(queue)
    assert old.id == new.id
    old_claim_does_nothing(queue, old)


def test_a_renewed_claim_is_not_rescued(queue: Queue, other: Queue) -> None:
    job_id = put(queue)
    claim = take(queue)
    expire(queue, job_id)
    assert queue.renew([claim]) == {claim.token: False}
    assert other.rescue() == []


def test_renewing_tells_what_somebody_asked(queue: Queue, other: Queue) -> None:
    job_id = put(queue)
    claim = take(queue)
    assert other.cancel(job_id) == "running"
    assert queue.renew([claim]) == {claim.token: True}
    assert queue.asked_to_cancel([job_id]) == [job_id]


def test_rescue_ends_when_the_attempts_are_used_up(queue: Queue) -> None:
    job_id = put(queue, max_attempts=2)
    for status in ("queued", "failed"):
        take(queue)
        expire(queue, job_id)
        assert [row[2] for row in queue.rescue()] == [status]
    snapshot = queue.snapshot(job_id)
    assert snapshot
    assert snapshot.error
    assert snapshot.error["code"] == "lost"
    assert rows(queue.url, "select lost, attempts from jobs") == [(2, 2)]


def test_handing_back_uses_no_attempt(queue: Queue) -> None:
    mine, theirs = put(queue), put(queue)
    take(queue)
    other_claim = take(queue, uuid4())
    assert queue.hand_back(WORKER) == [mine]
    assert rows(queue.url, "select status, attempts, lost from jobs where id = %s", str(mine)) == [("queued", 0, 0)]
    assert other_claim.id == theirs
    assert queue.renew([other_claim]) == {other_claim.token: False}


@pytest.mark.parametrize("end", ["complete", "fail", "retry", "hand_back", "rescue"])
def test_nothing_overwrites_a_cancellation(queue: Queue, end: str) -> None:
    job_id = put(queue)
    claim = take(queue)
    assert queue.cancel(job_id) == "running"
    if end == "complete":
        assert not queue.complete(claim, "{}")
        assert queue.finish_cancelled(claim) == "cancelled"
    elif end == "fail":
        assert queue.fail(claim, FAILURE) == "cancelled"
    elif end == "retry":
        assert queue.retry(claim, FAILURE, 0) == "cancelled"
    elif end == "hand_back":
        queue.hand_back(WORKER)
    else:
        expire(queue, job_id)
        queue.rescue()
    snapshot = queue.snapshot(job_id)
    assert snapshot
    assert snapshot.status == "cancelled"
    assert snapshot.finished_at
    assert snapshot.result is None
