"""Whose turn it is among jobs of one key, and who waits for whose lock: nobody for long, and nobody in a circle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import psycopg2

from tests.jobs.making import rows, until, wish
from tests.jobs.test_keys import WORKER, limited, put, rated, take
from thetool.jobs.claims import NewJob
from thetool.jobs.queries import queries
from thetool.jobs.queue import Queue

HELD = "select concurrency_key from jobs where held order by 1"


@contextmanager
def lock_of(url: str, key: str, sort: int = 7001) -> Iterator[None]:
    """Somebody is at work on a key."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, %s))", (key, sort))
        yield


def running_and_held(url: str, running: list[NewJob], held: list[NewJob]) -> None:
    """As after claims, which would take their time one by one."""
    statement = "update jobs set {} where id = any(%s::uuid[])"
    rows(
        url,
        statement.format("status = 'running', lease_expires_at = now() + interval '1 hour'"),
        [str(job.id) for job in running],
    )
    rows(url, statement.format("held = true"), [str(job.id) for job in held])


# --- whose turn it is


def test_who_comes_later_does_not_pass_who_waits(queue: Queue) -> None:
    put(queue, limited())
    claim = take(queue)
    (second,) = put(queue, limited())
    assert queue.claim(wish(WORKER)) == []
    (third,) = put(queue, limited())
    queue.complete(claim, "{}")
    claim = take(queue)
    assert claim.id == second
    queue.complete(claim, "{}")
    assert take(queue).id == third


def test_who_comes_when_the_time_has_come_does_not_pass_who_waits_for_it(queue: Queue) -> None:
    put(queue, rated(seconds=0.3))
    take(queue)
    (second,) = put(queue, rated(seconds=0.3))
    assert queue.claim(wish(WORKER)) == []
    time.sleep(0.3)
    (third,) = put(queue, rated(seconds=0.3))
    assert take(queue).id == second
    assert queue.claim(wish(WORKER)) == []
    assert queue.status(third) == "queued"


def test_a_job_that_nobody_here_can_run_is_in_nobodys_way(queue: Queue) -> None:
    put(queue, limited())
    claim = take(queue)
    _, last = put(queue, limited(kind="sample.elsewhere"), limited())
    assert queue.claim(wish(WORKER)) == []
    queue.complete(claim, "{}")
    assert take(queue).id == last


def test_rates_of_jobs_with_one_key_may_differ(queue: Queue) -> None:
    """Two in a minute, counting those that may begin five times in a hundredth of a second."""
    slow, quick = {"limit": 2, "seconds": 60.0}, {"limit": 5, "seconds": 0.01}
    for rate in (slow, quick, quick):
        put(queue, rated(**rate))
        take(queue)
        time.sleep(0.02)
    put(queue, rated(**slow))
    waits: list[float] = []
    queue.look_in = waits.append
    assert queue.claim(wish(WORKER)) == []
    assert [59 < seconds < 60 for seconds in waits] == [True]
    put(queue, rated(**quick))
    take(queue)
    assert rows(queue.url, "select most, seconds, cardinality(starts) from job_rates") == [(5, 60.0, 4)]


def test_no_more_beginnings_are_kept_than_a_rate_counts(queue: Queue) -> None:
    for _ in range(5):
        put(queue, rated(limit=2, seconds=0.0001))
        until(lambda: queue.claim(wish(WORKER)) or queue.release(), "it begins")
    ((kept,),) = rows(queue.url, "select cardinality(starts) from job_rates")
    assert kept <= 2


# --- who waits for whom


def test_a_key_with_room_is_found_behind_a_thousand_that_have_none(queue: Queue) -> None:
    busy = [f"key {number:04}" for number in range(1000)]
    running, held = [limited(key) for key in busy], [limited(key) for key in [*busy, "last"]]
    put(queue, *running, *held)
    running_and_held(queue.url, running, held)
    queue.release_stuck()
    queue.release_stuck()
    assert rows(queue.url, HELD) == [(key,) for key in busy]


def test_letting_jobs_go_waits_for_nobody(queue: Queue) -> None:
    """It is done on the connection that renews claims."""
    held = [limited("one"), limited("two")]
    put(queue, *held)
    running_and_held(queue.url, [], held)
    with lock_of(queue.url, "one"):
        queue.release_stuck()
        assert rows(queue.url, HELD) == [("one",)]
    queue.release_stuck()
    assert rows(queue.url, HELD) == []


def test_letting_jobs_go_for_their_rate_waits_for_nobody(queue: Queue) -> None:
    for key in ("one", "two"):
        put(queue, rated(key), rated(key))
        take(queue)
        assert queue.claim(wish(WORKER)) == []
    rows(queue.url, "update job_rates set starts = '{}', free_at = now()")
    waits: list[float] = []
    queue.look_in = waits.append
    with lock_of(queue.url, "one", 7002):
        queue.release()
        assert rows(queue.url, "select rate_key from jobs where held") == [("one",)]
    assert waits == [0.1]
    queue.release()
    assert rows(queue.url, "select rate_key from jobs where held") == []


def test_what_is_done_with_a_jobs_end_keeps_nobody_from_its_key(queue: Queue) -> None:
    """Another process looks for jobs of that key while this one's callback takes its time."""
    put(queue, limited(), limited())
    claim, other = take(queue), Queue(queue.url)
    found: list[Any] = []

    def callback(cursor: Any) -> None:
        found.extend(rows(queue.url, "select count(*) from pg_locks where locktype = 'advisory'"))
        found.append(other.claim(wish()))

    assert queue.complete(claim, "{}", callbacks=[callback])
    assert found == [(0,), []]
    other.close()
    assert take(queue)


def test_whoever_ends_jobs_of_several_keys_takes_the_keys_in_one_order(queue: Queue) -> None:
    """Two cancel jobs of two keys, each in another order; both must wait until a third lets go of one key."""
    batches = [put(queue, limited("a"), limited("b")), put(queue, limited("b"), limited("a"))]

    def cancel(job_ids: list[UUID]) -> None:
        with closing(psycopg2.connect(queue.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(queries["cancel_tree"].text, {"ids": [str(job_id) for job_id in job_ids], "keep": 60})

    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with ThreadPoolExecutor(2) as pool:
        with lock_of(queue.url, "a"):
            first = pool.submit(cancel, batches[0])
            until(lambda: rows(queue.url, waiting) == [(1,)], "the first waits")
            second = pool.submit(cancel, batches[1])
            until(lambda: rows(queue.url, waiting) == [(2,)], "both wait")
        first.result(30)
        second.result(30)
    assert rows(queue.url, "select distinct status from jobs") == [("cancelled",)]


def test_a_cancelled_job_at_the_head_of_the_line_lets_the_next_one_go(queue: Queue) -> None:
    """Somebody changes it in a transaction that takes its time: nobody passes it, and then nobody waits for it."""
    put(queue, limited())
    claim = take(queue)
    second, third = put(queue, limited(), limited())
    assert queue.claim(wish(WORKER)) == []
    with closing(psycopg2.connect(queue.url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("update jobs set status = 'cancelled' where id = %s", (str(second),))
        queue.complete(claim, "{}")
        assert queue.claim(wish(WORKER)) == []
    assert take(queue).id == third
