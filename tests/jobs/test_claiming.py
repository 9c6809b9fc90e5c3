"""Several jobs at a time, and whose turn it is."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest

from tests.jobs.making import OWNER, WORKER, new_job, put, rows, take, until, wish
from thetool.jobs.claims import Claim, Ending, Wish
from thetool.jobs.queue import Queue


def ids(claims: list[Claim]) -> list[UUID]:
    return [claim.id for claim in claims]


def test_several_jobs_of_a_quick_kind_are_claimed_and_finished_at_once(queue: Queue) -> None:
    jobs = [put(queue) for _ in range(7)]
    claims = queue.claim(wish(WORKER, limit=3))
    assert ids(claims) == jobs[:3]
    assert len({claim.token for claim in claims}) == 3
    kept, following = queue.complete_and_claim(
        [Ending(claim, f'{{"n": "{claim.id}"}}') for claim in claims], wish(limit=3)
    )
    assert kept == set(jobs[:3])
    assert ids(following) == jobs[3:6]
    stored = rows(queue.url, "select id, status, result->>'n' from jobs where finished_at is not null")
    assert sorted(stored) == sorted((str(job), "completed", str(job)) for job in jobs[:3])


def test_one_statement_keeps_what_may_be_kept_and_tells_which(queue: Queue) -> None:
    """One of the batch was cancelled meanwhile, one was lost."""
    jobs = [put(queue) for _ in range(4)]
    claims = queue.claim(wish(WORKER, limit=4))
    queue.cancel(jobs[1])
    rows(queue.url, "update jobs set claim_token = %s where id = %s", str(uuid4()), str(jobs[2]))
    kept, _ = queue.complete_and_claim([Ending(claim, "{}") for claim in claims], wish())
    assert kept == {jobs[0], jobs[3]}
    assert [queue.status(job) for job in jobs] == ["completed", "running", "running", "completed"]
    assert queue.complete_all([Ending(claim, "{}") for claim in claims]) == kept, "told again after a lost answer"


def test_the_first_may_be_slow_and_then_comes_alone(queue: Queue) -> None:
    kinds = ("sample.noop", "sample.sleep")
    quick_ones_only = Wish(WORKER, "cpu", "thread", kinds, ("sample.noop",), 10)
    slow, *quick = put(queue, kind="sample.sleep"), put(queue), put(queue)
    late = put(queue, kind="sample.sleep")
    assert ids(queue.claim(quick_ones_only)) == [slow]
    assert ids(queue.claim(quick_ones_only)) == quick
    assert ids(queue.claim(quick_ones_only)) == [late]


def test_one_notification_tells_of_a_batch(queue: Queue) -> None:
    listener = psycopg2.connect(queue.url)
    listener.autocommit = True
    listener.cursor().execute("listen thetool_jobs; listen thetool_jobs_done")
    jobs = [new_job() for _ in range(20)]
    assert queue.enqueue_many(jobs) == {job.id for job in jobs}
    claims = queue.claim(wish(limit=20))
    queue.complete_all([Ending(claim, "{}", notify=number != 3) for number, claim in enumerate(claims)])
    listener.cursor().execute("select 1")
    ready, done = listener.notifies
    assert ready.payload == "cpu:thread:"
    assert set(done.payload.split(",")) == {str(claim.id) for claim in claims} - {str(claims[3].id)}
    listener.close()


def test_what_was_not_begun_is_given_back_with_no_attempt_used(queue: Queue) -> None:
    jobs = [put(queue) for _ in range(3)]
    claims = queue.claim(wish(WORKER, limit=3))
    queue.cancel(jobs[1])
    assert set(queue.give_back(claims[1:])) == set(jobs[1:])
    assert [queue.status(job) for job in jobs] == ["running", "cancelled", "queued"]
    (again,) = queue.claim(wish(limit=3))
    assert (again.id, again.attempt) == (jobs[2], 1)
    assert queue.complete_all([Ending(claims[2], "{}")]) == set()


def test_whoever_waits_rises(queue: Queue) -> None:
    """A minute for each step of priority."""
    now = datetime.now(UTC)
    patient = put(queue, priority=-1, run_at=now - timedelta(minutes=4))
    usual = put(queue, run_at=now - timedelta(minutes=2, seconds=30))
    urgent = put(queue, priority=2, run_at=now - timedelta(seconds=1))
    later = put(queue, priority=100, run_at=now + timedelta(minutes=1))
    never = put(queue, priority=100)
    rows(queue.url, "update jobs set run_at = 'infinity' where id = %s", str(never))
    most = put(queue, priority=10**6, run_at=now - timedelta(seconds=1))
    assert [ids(queue.claim(wish(WORKER)))[0] for _ in range(4)] == [most, patient, usual, urgent]
    assert queue.claim(wish(WORKER)) == []
    rows(queue.url, "update jobs set run_at = now() where id = %s", str(later))
    assert ids(queue.claim(wish(WORKER))) == [later]


def test_a_claim_reads_the_index_in_its_order(queue: Queue) -> None:
    """Ten thousand of them, and ten thousand more for tomorrow: neither sorts nor reads them all."""
    queue.enqueue_many([new_job() for _ in range(2)])
    rows(
        queue.url,
        "insert into jobs (id, kind, queue, runs, params, owner_id, timeout_s, priority, run_at)"
        " select gen_random_uuid(), 'sample.noop', 'cpu', 'thread', '{}', %s, 60, number %% 7,"
        " now() + case when number %% 2 = 0 then interval '1 day' else interval '-1 s' end"
        " from generate_series(1, 20000) as number; analyze jobs",
        str(OWNER),
    )
    plan = "\n".join(
        line
        for (line,) in rows(
            queue.url,
            "explain (analyze, buffers off, timing off) select id from jobs where status = 'queued' and not held"
            " and queue = 'cpu' and runs = 'thread' and kind = any('{sample.noop}') and run_at <= now()"
            " and rank <= date_part('epoch', now() - timestamptz '2020-01-01 00:00:00+00') + 6000"
            " order by rank, id limit 10 for update skip locked",
        )
    )
    assert "Index Scan using jobs_ready" in plan
    assert "Sort" not in plan
    assert "Rows Removed" not in plan


def test_bulk_enqueue_keeps_dedupe_keys_and_everything_else(queue: Queue) -> None:
    put(queue, dedupe_key="taken")
    when = datetime(2040, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    full = new_job(
        params='{"text":"a\\"b\\\\ é","number":1.50}', correlation_id="x", priority=3, run_at=when, title="A title",
        keep=12.5, concurrency_key="c", concurrency_limit=2, rate_key="r", rate_limit=5, rate_seconds=60.0,
    )  # fmt: skip
    assert queue.enqueue_many([]) == set()
    assert queue.enqueue_many([full, new_job(dedupe_key="taken"), new_job(dedupe_key="free")]) >= {full.id}
    columns = (
        "params::text, correlation_id, priority, run_at, title, keep_s, concurrency_key, concurrency_limit, rate_key,"
        " rate_limit, rate_seconds, status, attempts"
    )
    (stored,) = rows(queue.url, f"select {columns} from jobs where id = %s", str(full.id))
    assert stored == (full.params, "x", 3, when, "A title", 12.5, "c", 2, "r", 5, 60.0, "queued", 0)
    assert rows(queue.url, "select dedupe_key, count(*) from jobs where dedupe_key > '' group by 1 order by 1") == [
        ("free", 1),
        ("taken", 1),
    ]


def test_bulk_enqueue_belongs_to_the_callers_transaction(queue: Queue) -> None:
    connection = psycopg2.connect(queue.url)
    with connection.cursor() as cursor:
        added = queue.enqueue_many([new_job(), new_job()], cursor=cursor)
        assert len(added) == 2
        assert rows(queue.url, "select count(*) from jobs") == [(0,)]
        connection.rollback()
        queue.enqueue_many([new_job()], cursor=cursor)
        connection.commit()
    connection.close()
    assert rows(queue.url, "select count(*) from jobs") == [(1,)]


def test_a_claim_does_not_wait_for_the_disk_and_an_end_does(queue: Queue) -> None:
    """What a claim says of its own commit holds for that one alone."""
    put(queue)
    [claim] = queue.claim(wish())
    with queue.connection.transaction() as cursor:
        assert commits(cursor) == "on", "the next transaction is not concerned"
        queue.complete_and_claim([Ending(claim, "{}", notify=False)], wish())
        assert commits(cursor) == "on"
        queue.claim(wish())
        assert commits(cursor) == "off"


def commits(cursor: Any) -> str:
    cursor.execute("show synchronous_commit")
    return str(cursor.fetchone()[0])


def test_a_claim_says_whether_keys_made_it_come_alone(queue: Queue) -> None:
    put(queue, concurrency_key="key", concurrency_limit=2)
    put(queue)
    assert [take(queue).alone, take(queue).alone] == [True, False]


@pytest.mark.parametrize("verb", ["complete_all", "give_back"])
def test_several_jobs_are_locked_youngest_first(queue: Queue, verb: str) -> None:
    """As cancelling a batch does it: else two that meet in the middle wait for each other."""
    oldest, *_, youngest = [put(queue) for _ in range(4)]
    claims = queue.claim(wish(limit=4))
    assert claims[0].id == oldest
    lock = "select from jobs where id = %s for update nowait"
    with closing(psycopg2.connect(queue.url)) as other, other.cursor() as cursor:
        cursor.execute(lock, (str(youngest),))
        given = claims if verb == "give_back" else [Ending(claim, "{}") for claim in claims]
        thread = threading.Thread(target=getattr(queue, verb), args=(given,))
        thread.start()
        until(lambda: rows(queue.url, "select 1 from pg_locks where not granted"), "it waits for the youngest")
        cursor.execute(lock, (str(oldest),))
        other.rollback()
        thread.join(10)
    assert not rows(queue.url, "select 1 from jobs where status = 'running'")
