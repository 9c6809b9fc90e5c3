from __future__ import annotations

import psycopg2

from tests.jobs.making import new_job, until
from thetool.jobs.herald import Herald
from thetool.jobs.queue import Queue


def test_the_first_word_goes_at_once_and_the_last_one_is_not_lost() -> None:
    told: list[tuple[str, str]] = []
    herald = Herald(lambda queue, runs: told.append((queue, runs)))
    assert herald.may_tell("cpu", "thread")
    assert herald.may_tell("cpu", "process"), "each sort for itself"
    while herald.may_tell("cpu", "thread"):
        pass
    until(lambda: told == [("cpu", "thread")], "it is told late")
    herald.close()
    assert told == [("cpu", "thread")]


def test_what_is_left_is_told_at_the_end() -> None:
    told: list[tuple[str, str]] = []
    herald = Herald(lambda queue, runs: told.append((queue, runs)))
    while herald.may_tell("gpu", "thread"):
        pass
    herald.close()
    assert told == [("gpu", "thread")]


def test_a_thousand_enqueues_say_so_less_often(queue: Queue) -> None:
    listener = psycopg2.connect(queue.url)
    listener.autocommit = True
    with listener.cursor() as cursor:
        cursor.execute("listen thetool_jobs")
        jobs = [new_job() for _ in range(300)]
        for job in jobs:
            queue.enqueue(job)
        queue.close()
        cursor.execute("select 1")
    assert 1 <= len(listener.notifies) < 300
    listener.close()
