from __future__ import annotations

import psycopg2.errors
import pytest

from tests.jobs.making import new_job, put, until
from thetool.jobs.herald import Herald
from thetool.jobs.queue import Queue


def test_the_first_word_goes_at_once_and_the_last_one_is_not_lost() -> None:
    told: list[tuple[str, str]] = []
    herald = Herald(lambda queue, runs: told.append((queue, runs)))
    assert herald.may_tell("cpu", "thread")
    assert herald.may_tell("cpu", "process"), "each sort for itself"
    assert not herald.may_tell("cpu", "thread")
    herald.owe("cpu", "thread")
    until(lambda: told == [("cpu", "thread")], "it is told late")
    herald.close()
    assert told == [("cpu", "thread")]


def test_what_is_left_is_told_at_the_end() -> None:
    told: list[tuple[str, str]] = []
    herald = Herald(lambda queue, runs: told.append((queue, runs)))
    for _ in range(2):  # a queue may be used again
        told.clear()
        herald.owe("gpu", "thread")
        herald.close()
        assert told == [("gpu", "thread")]


def test_a_word_that_could_not_be_said_is_not_the_last() -> None:
    told: list[tuple[str, str]] = []

    def tell(queue: str, runs: str) -> None:
        told.append((queue, runs))
        if len(told) == 1:
            raise psycopg2.errors.QueryCanceled

    herald = Herald(tell)
    for count in (1, 2):
        herald.owe("cpu", "thread")
        until(lambda count=count: len(told) == count, "it goes on")  # type: ignore[misc]
    herald.close()


def test_an_enqueue_that_adds_nothing_takes_no_word_away(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    put(queue, dedupe_key="equal")
    until(lambda: queue._herald.may_tell("cpu", "thread"), "time has passed")
    told: list[str] = []
    monkeypatch.setattr(queue._herald, "_tell", lambda queue, runs: told.append(runs))
    monkeypatch.setattr("thetool.jobs.herald.PAUSE_SECONDS", 60.0)
    monkeypatch.setattr("thetool.jobs.herald.LATE_SECONDS", 0.3)
    put(queue)
    monkeypatch.setattr("thetool.jobs.herald.PAUSE_SECONDS", 0.0)
    assert not queue.enqueue(new_job(dedupe_key="equal"))
    queue.close()
    assert told


def test_what_is_owed_is_said_when_the_job_is_there(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    there: list[int] = []
    put(queue)
    monkeypatch.setattr("thetool.jobs.herald.PAUSE_SECONDS", 60.0)
    monkeypatch.setattr(queue._herald, "owe", lambda *sort: there.append(queue.depth(10)))
    put(queue)
    assert there == [2]


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
