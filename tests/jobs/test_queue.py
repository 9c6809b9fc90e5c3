"""The queue's verbs, one after the other: enqueue, claim, finish, retry, cancel, count."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest

from tests.jobs.making import OWNER, WORKER, new_job, put, rows, take, wish
from thetool.jobs.claims import Claim, Ending, Wish
from thetool.jobs.failure import Failure
from thetool.jobs.queue import Queue


def test_a_job_is_claimed_with_all_that_its_run_needs(queue: Queue) -> None:
    job = new_job(params='{"text": "é"}', correlation_id="abc", timeout=7)
    queue.enqueue(job)
    claim = take(queue)
    assert (claim.id, claim.kind, claim.params, claim.owner_id) == (job.id, job.kind, job.params, OWNER)
    assert (claim.attempt, claim.max_attempts, claim.timeout, claim.correlation_id) == (1, 3, 7, "abc")
    snapshot = queue.snapshot(job.id)
    assert snapshot
    assert (snapshot.status, snapshot.attempts, snapshot.finished) == ("running", 1, False)


def test_a_claim_takes_only_its_queue_and_kinds_and_no_later_ones(queue: Queue) -> None:
    put(queue, kind="sample.other")
    put(queue, queue="gpu")
    put(queue, runs="process")
    put(queue, run_at=datetime.now(UTC) + timedelta(minutes=1))
    assert queue.claim(wish(WORKER)) == []
    assert queue.claim(Wish(WORKER, "cpu", "thread", ())) == []


def test_claims_go_by_priority_then_by_age(queue: Queue) -> None:
    first, second, urgent = put(queue), put(queue), put(queue, priority=10)
    late = put(queue, priority=-10)
    assert [take(queue).id for _ in range(4)] == [urgent, first, second, late]


def test_each_job_is_claimed_once(queue: Queue) -> None:
    """Eight threads with a connection each, 500 jobs."""
    wanted = {put(queue) for _ in range(500)}
    claimed: Counter[UUID] = Counter()
    start = threading.Barrier(8)

    def work() -> None:
        own = Queue(queue.url)
        start.wait()
        while claims := own.claim(wish(limit=3)):
            for claim in claims:
                assert own.complete(claim, "{}")
                claimed[claim.id] += 1
        own.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(claimed) == wanted
    assert set(claimed.values()) == {1}
    assert rows(queue.url, "select status, sum(attempts) from jobs group by status") == [("completed", 500)]


def test_the_result_is_stored_with_the_completion(queue: Queue) -> None:
    job_id = put(queue)
    assert queue.complete(take(queue), '{"answer": 42}')
    snapshot = queue.snapshot(job_id)
    assert snapshot
    assert (snapshot.status, snapshot.result, snapshot.progress) == ("completed", {"answer": 42}, 1)
    assert snapshot.finished_at
    assert snapshot.started_at
    assert snapshot.created_at <= snapshot.started_at <= snapshot.finished_at


def test_finishing_one_job_takes_the_next(queue: Queue) -> None:
    first, second, later = put(queue), put(queue), put(queue, run_at=datetime.now(UTC) + timedelta(minutes=1))
    claim = take(queue)
    done, (following,) = queue.complete_and_claim([Ending(claim, '{"n": 1}')], wish(WORKER))
    assert done == {first}
    assert (following.id, following.attempt) == (second, 1)
    assert following.token != claim.token
    assert queue.complete_and_claim([Ending(following, '{"n": 2}', notify=False)], wish(WORKER)) == ({second}, [])
    assert [queue.status(job_id) for job_id in (first, second, later)] == ["completed", "completed", "queued"]


def test_a_retry_waits_and_keeps_the_error(queue: Queue) -> None:
    job_id = put(queue)
    assert queue.retry(take(queue), Failure("broken", "It broke."), 60) == "queued"
    assert queue.claim(wish(WORKER)) == []
    snapshot = queue.snapshot(job_id)
    assert snapshot
    assert snapshot.error == {"code": "broken", "message": "It broke.", "traceback": None}
    rows(queue.url, "update jobs set run_at = now()")
    assert take(queue).attempt == 2


def test_a_waiting_job_is_cancelled_at_once(queue: Queue) -> None:
    job_id = put(queue)
    assert queue.cancel(job_id) == "cancelled"
    assert queue.claim(wish(WORKER)) == []
    assert queue.cancel(job_id) is None
    assert queue.cancel(uuid4()) is None


def test_callbacks_are_in_the_transaction_that_completes(queue: Queue) -> None:
    put(queue)
    claim = take(queue)
    seen: list[Any] = []

    def rename(cursor: Any) -> None:
        cursor.execute("update owners set name = 'renamed' where id = %s", (OWNER,))
        seen.append(rows(queue.url, "select owners.name, status from owners, jobs"))

    assert queue.complete(claim, "{}", callbacks=[rename])
    assert seen == [[("master", "running")]]
    assert rows(queue.url, "select owners.name, status from owners, jobs") == [("renamed", "completed")]


def test_a_callback_that_fails_keeps_nothing(queue: Queue) -> None:
    put(queue)
    claim = take(queue)

    def rename(cursor: Any) -> None:
        cursor.execute("update owners set name = 'renamed'")

    def fail(cursor: Any) -> None:
        cursor.execute("select 1 / 0")

    with pytest.raises(psycopg2.errors.DivisionByZero):
        queue.complete(claim, "{}", callbacks=[rename, fail])
    assert rows(queue.url, "select owners.name, status from owners, jobs") == [("master", "running")]
    assert queue.complete(claim, "{}")


def test_progress_is_kept_and_told(queue: Queue) -> None:
    job_id = put(queue)
    claim = take(queue)
    assert queue.progress(claim, 0.25, "reading", "Reading…")
    assert queue.progress(claim, 0.5, None, None)
    snapshot = queue.snapshot(job_id)
    assert snapshot
    assert (snapshot.progress, snapshot.stage, snapshot.message) == (0.5, "reading", "Reading…")
    assert rows(queue.url, "select stage, progress from job_events order by id") == [
        ("reading", 0.25),
        ("reading", 0.5),
    ]


def test_a_job_is_made_claimed_only_when_nothing_is_ready(queue: Queue) -> None:
    claim = queue.enqueue_claimed(new_job(), wish(WORKER))
    assert isinstance(claim, Claim)
    assert queue.renew([claim]) == {claim.token: False}
    put(queue, run_at=datetime.now(UTC) + timedelta(minutes=1))
    put(queue, kind="sample.other")
    assert isinstance(queue.enqueue_claimed(new_job(), wish(WORKER)), Claim)
    older = put(queue)
    assert queue.enqueue_claimed(new_job(), wish(WORKER)) == "queued"
    assert take(queue).id == older


def test_a_dedupe_key_is_free_again_when_its_job_is_finished(queue: Queue) -> None:
    first = new_job(dedupe_key="one")
    assert queue.enqueue(first)
    assert not queue.enqueue(new_job(dedupe_key="one"))
    assert queue.enqueue_claimed(new_job(dedupe_key="one"), wish(WORKER)) is None
    assert queue.find_dedupe("one") == first.id
    queue.complete(take(queue), "{}")
    assert queue.find_dedupe("one") is None
    assert queue.enqueue(new_job(dedupe_key="one"))


def test_enqueue_in_the_callers_transaction(queue: Queue) -> None:
    connection = psycopg2.connect(queue.url)
    kept, dropped = new_job(), new_job()
    with connection, connection.cursor() as cursor:
        queue.enqueue(kept, cursor=cursor)
        assert queue.snapshot(kept.id) is None
    with connection.cursor() as cursor:
        queue.enqueue(dropped, cursor=cursor)
    connection.rollback()
    connection.close()
    assert queue.snapshot(kept.id)
    assert queue.snapshot(dropped.id) is None


def test_depth_is_counted_no_further_than_asked(queue: Queue) -> None:
    for _ in range(5):
        put(queue)
    take(queue)
    assert queue.depth(100) == 4
    assert queue.depth(3) == 3
    assert queue.unfinished_of(OWNER, 100) == 5
    assert queue.unfinished_of(uuid4(), 100) == 0


def test_workers_come_and_go(queue: Queue) -> None:
    told = {"host": "here", "pid": 1, "version": "0", "slots": 2, "running": 1}
    queue.heartbeat(WORKER, kinds=["a.b"], draining=False, **told)
    assert queue.offered_kinds() == {"a.b"}
    assert [worker["id"] for worker in queue.live_workers()] == [WORKER]
    queue.heartbeat(WORKER, kinds=["a.b"], draining=True, **told)
    assert queue.offered_kinds() == set()
    queue.heartbeat(WORKER, kinds=["a.b"], draining=False, **told)
    rows(queue.url, "update workers set heartbeat_at = now() - interval '1 minute'")
    assert queue.offered_kinds() == set()
    queue.forget_dead_workers()
    assert rows(queue.url, "select count(*) from workers") == [(1,)]
    rows(queue.url, "update workers set heartbeat_at = now() - interval '1 hour'")
    queue.forget_dead_workers()
    assert rows(queue.url, "select count(*) from workers") == [(0,)]


def test_the_outlook_of_a_queue_with_a_parent_that_waits(queue: Queue) -> None:
    put(queue)
    put(queue, queue="gpu")
    job_id = put(queue)
    rows(queue.url, "update jobs set run_at = 'infinity' where id = %s", str(job_id))
    told = {row[0]: row[1:4] for row in queue.outlook()}
    assert told == {"cpu": (1, 1, 0), "gpu": (1, 0, 0)}


def test_only_a_finished_job_is_deleted(queue: Queue) -> None:
    job_id = put(queue)
    queue.delete(job_id)
    assert queue.snapshot(job_id)
    queue.complete(take(queue), "{}")
    queue.delete(job_id)
    assert queue.snapshot(job_id) is None
