"""Parents and children: in a runner, and statement by statement where moments matter."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from uuid import UUID

import psycopg2
import pytest

from tests.jobs.groups.family_jobs import Clan, Leaf
from tests.jobs.making import OWNER, new_job, rows, until, wish
from thetool.jobs.claims import Claim, NewJob
from thetool.jobs.failure import Failure
from thetool.jobs.groups import family
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit
from thetool.jobs.waiting import look_at, wait_for

WAITING = "select status, run_at = 'infinity', children_left from jobs where id = %s"
FAILURE = Failure("job_failed", "It failed.")


def lead(kind: str = "sample.clan", **said: Any) -> UUID:
    return submit(kind, Clan(**said), owner_id=OWNER, correlation_id="test-request").job_id


def told(job_id: UUID) -> Any:
    job = wait_for(job_id, 60)
    assert job.status == "completed", job.error
    assert job.result
    return job.result


@pytest.mark.parametrize("kind", ["sample.clan", "sample.clan_apart"])
def test_a_parent_gets_what_its_children_gave_in_their_order(runner: Runner, kind: str) -> None:
    parent = lead(kind, members=["a", "b", "again c", "fail d", "e"])
    assert told(parent) == {"texts": ["a", "b", "again c", ["failed", "job_failed"], "e"], "attempt": 1}
    children = rows(
        runner.queue.url,
        "select distinct owner_id, correlation_id, priority, keep_s, parent_id from jobs where kind = 'sample.leaf'",
    )
    assert children == [(str(OWNER), "test-request", 5, 3600.0, str(parent))]
    assert rows(runner.queue.url, "select title from jobs where kind = 'sample.leaf' order by id limit 1") == [("a",)]


@pytest.mark.parametrize("kind", ["sample.clan", "sample.clan_apart"])
def test_rounds_nested_parents_and_no_children_at_all(runner: Runner, kind: str) -> None:
    assert told(lead(kind, members=["a"], rounds=3))["texts"] == ["a", "a", "a"]
    assert told(lead(kind, members=["a", ["b", ["c"]], []]))["texts"] == ["a", ["b", ["c"]], []]
    assert told(lead(kind))["texts"] == []


def test_a_waiting_parent_holds_no_slot_and_uses_no_attempt(runner: Runner) -> None:
    """Two thread slots, three parents that wait, and others run all the same."""
    parents = [lead(members=["sleep 1.5"]) for _ in range(3)]
    until(lambda: all(rows(runner.queue.url, WAITING, str(one)) for one in parents), "there")
    assert submit("sample.leaf", Leaf(text="x"), owner_id=OWNER).created
    assert {told(parent)["attempt"] for parent in parents} == {1}


def test_what_it_said_of_its_progress_stays_while_it_waits(runner: Runner) -> None:
    parent = lead(members=["sleep 60"])
    until(lambda: rows(runner.queue.url, WAITING, str(parent)) == [("queued", True, 1)], "it waits")
    assert (look_at(parent).stage, look_at(parent).progress) == ("waiting", 0.25)


@pytest.mark.parametrize("kind", ["sample.clan", "sample.clan_apart"])
def test_an_attempt_that_fails_has_no_children(runner: Runner, kind: str) -> None:
    parent = lead(kind, members=["a", "b"], fail="before")
    assert wait_for(parent, 60).status == "failed"
    assert rows(runner.queue.url, "select count(*) from jobs where parent_id is not null") == [(0,)]


@pytest.mark.parametrize("kind", ["sample.clan", "sample.clan_apart"])
def test_a_parent_that_does_not_wait_leaves_its_children_to_themselves(runner: Runner, kind: str) -> None:
    parent = lead(kind, members=["a", "b"], wait=False)
    assert told(parent)["texts"] == []
    done = "select count(*) from jobs where parent_id is not null and status = 'completed'"
    until(lambda: rows(runner.queue.url, done) == [(2,)], "they run")
    assert look_at(parent).status == "completed"


def test_a_parent_may_fail_when_all_are_there(runner: Runner) -> None:
    job = wait_for(lead(members=["a"], fail="after"), 60)
    assert (job.status, job.attempts) == ("failed", 1)


def test_cancelling_a_parent_cancels_what_is_beneath_it(runner: Runner) -> None:
    parent = lead(members=["sleep 60", ["sleep 60", "sleep 60"]])
    running = "select count(*) from jobs where status = 'running'"
    until(lambda: rows(runner.queue.url, running) == [(2,)], "both slots have a leaf")
    until(lambda: rows(runner.queue.url, "select count(*) from jobs") == [(5,)], "all are there", 5)
    assert runner.queue.cancel(parent) == "cancelled"
    until(lambda: rows(runner.queue.url, "select distinct status from jobs") == [("cancelled",)], "all are cancelled")


def test_going_round_for_ever_ends(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family, "MAX_CHILDREN", 5)
    job = wait_for(lead("sample.circle"), 60)
    assert job.status == "failed"
    assert job.error
    assert job.error["code"] == "too_many_children"
    assert rows(runner.queue.url, "select count(*) from jobs where parent_id is not null") == [(5,)]


# Statement by statement, without a runner.


def begun(queue: Queue, job: NewJob) -> Claim:
    queue.enqueue(job)
    (claim,) = queue.claim(wish())
    assert claim.id == job.id
    return claim


def children(claim: Claim, number: int) -> list[NewJob]:
    return [new_job(parent_id=claim.id) for _ in range(number)]


def waits(queue: Queue, number: int) -> tuple[UUID, list[NewJob]]:
    """A parent that waits for so many queued children."""
    claim = begun(queue, new_job())
    mine = children(claim, number)
    assert family.suspend(queue, claim, mine)
    assert rows(queue.url, WAITING, str(claim.id)) == [("queued", True, number)]
    return claim.id, mine


def claim_all(queue: Queue) -> dict[UUID, Claim]:
    claims = {}
    while found := queue.claim(wish()):
        claims |= {claim.id: claim for claim in found}
    return claims


def test_whatever_way_children_end_the_last_end_makes_the_parent_ready(queue: Queue) -> None:
    parent, mine = waits(queue, 7)
    completed, failed, cancelled, stopped, lost, handed_back, deleted = (job.id for job in mine)
    queue.cancel(cancelled)
    claims = claim_all(queue)
    assert parent not in claims
    queue.complete(claims[completed], "{}")
    queue.fail(claims[failed], FAILURE)
    for asked in (stopped, handed_back):
        queue.cancel(asked)
    queue.finish_cancelled(claims[stopped])
    rows(queue.url, "update jobs set lease_expires_at = now(), attempts = 3 where id = %s", str(lost))
    queue.rescue()
    rows(queue.url, "update jobs set worker_id = %s where id = %s", str(OWNER), str(handed_back))
    queue.hand_back(OWNER)
    assert rows(queue.url, WAITING, str(parent)) == [("queued", True, 1)]
    rows(queue.url, "delete from jobs where id = %s", str(deleted))
    assert rows(queue.url, WAITING, str(parent)) == [("queued", False, 0)]
    assert [claim.id for claim in queue.claim(wish())] == [parent]


def test_a_child_that_is_tried_again_or_taken_back_is_unfinished(queue: Queue) -> None:
    parent, mine = waits(queue, 1)
    queue.retry(claim_all(queue)[mine[0].id], FAILURE, 0)
    rows(queue.url, "update jobs set lease_expires_at = now() where id = %s", str(next(iter(claim_all(queue)))))
    queue.rescue()
    assert rows(queue.url, WAITING, str(parent)) == [("queued", True, 1)]


def test_a_lost_claim_makes_no_children(queue: Queue) -> None:
    claim = begun(queue, new_job())
    rows(queue.url, "update jobs set lease_expires_at = now()")
    queue.rescue()
    (again,) = queue.claim(wish())
    assert not family.suspend(queue, claim, children(claim, 3))
    assert rows(queue.url, "select count(*) from jobs") == [(1,)]
    assert rows(queue.url, "select status, claim_token from jobs") == [("running", str(again.token))]


def test_a_parent_that_is_asked_to_stop_is_not_laid_aside(queue: Queue) -> None:
    claim = begun(queue, new_job())
    queue.cancel(claim.id)
    assert not family.suspend(queue, claim, children(claim, 1))
    assert queue.finish_cancelled(claim) == "cancelled"


def test_a_parent_waits_no_longer_when_the_last_child_ended_meanwhile(queue: Queue) -> None:
    """In its second round it waits for one that had been put back; that is finished before it is laid aside."""
    parent, mine = waits(queue, 1)
    queue.complete(claim_all(queue)[mine[0].id], "{}")
    (claim,) = queue.claim(wish())
    with closing(psycopg2.connect(queue.url)) as listener:
        listener.autocommit = True
        listener.cursor().execute("listen thetool_jobs")
        assert family.suspend(queue, claim, ())
        until(lambda: listener.poll() or listener.notifies, "the workers are told")
    assert rows(queue.url, WAITING, str(parent)) == [("queued", False, 0)]


def test_of_many_last_ends_at_once_one_makes_the_parent_ready(queue: Queue) -> None:
    """Exact under concurrency: each end on a connection of its own, over and over."""
    for _ in range(5):
        parent, mine = waits(queue, 8)
        claims = claim_all(queue)
        queues = [Queue(queue.url) for _ in mine]
        start = threading.Barrier(len(mine))

        def end(
            number: int, queues: list[Queue] = queues, mine: list[NewJob] = mine, claims: dict[UUID, Claim] = claims,
            start: threading.Barrier = start,
        ) -> None:  # fmt: skip
            start.wait()
            if number % 3 == 0:
                queues[number].fail(claims[mine[number].id], FAILURE)
            else:
                queues[number].complete(claims[mine[number].id], "{}")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(end, range(8)))
        for other in queues:
            other.close()
        assert rows(queue.url, WAITING, str(parent)) == [("queued", False, 0)]
        (claim,) = queue.claim(wish())
        assert claim.id == parent
        queue.complete(claim, "{}")


def test_cancelling_parents_while_their_children_end_loses_nobody(queue: Queue) -> None:
    """Locks go from child to parent: nobody waits in a circle, and every parent ends."""
    for _ in range(10):
        parent, mine = waits(queue, 6)
        claims = claim_all(queue)
        other = Queue(queue.url)
        with ThreadPoolExecutor(2) as pool:
            cancelled = pool.submit(other.cancel, parent)
            for job in mine:
                queue.complete(claims[job.id], "{}") or queue.finish_cancelled(claims[job.id])
            assert cancelled.result(30) == "cancelled"
        other.close()
        assert queue.status(parent) == "cancelled"
    assert rows(queue.url, "select count(*) from jobs where status in ('queued', 'running')") == [(0,)]


def test_children_that_come_while_their_parent_is_cancelled_are_cancelled_too(queue: Queue) -> None:
    """The parent is laid aside just when somebody cancels it: either it is not, or its children are cancelled."""
    for _ in range(10):
        claim = begun(queue, new_job())
        other = Queue(queue.url)
        with ThreadPoolExecutor(1) as pool:
            cancelled = pool.submit(other.cancel, claim.id)
            aside = family.suspend(queue, claim, children(claim, 3))
            assert cancelled.result(30) == ("cancelled" if aside else "running")
        if not aside:
            queue.finish_cancelled(claim)
        other.close()
        assert rows(queue.url, "select count(*) from jobs where status in ('queued', 'running')") == [(0,)]
