"""What Postgres did although its answer was lost: a statement that is tried again finds its own first try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from tests.jobs.making import new_job, put, rows, take, until, wish
from tests.jobs.test_submit import ask, idempotency
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.claims import Claim
from thetool.jobs.groups.equals import enqueue_replacing
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.waiting import wait_for


@pytest.fixture
def lossy(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """The answer to its first statement is lost after the commit."""
    execute, lost = queue.connection._execute, iter([True])

    def once(query: Any, values: Any) -> Any:
        found = execute(query, values)
        if next(lost, False):
            raise psycopg2.OperationalError("the connection broke")
        return found

    monkeypatch.setattr(queue.connection, "_execute", once)
    return queue


def test_a_job_is_no_duplicate_of_itself(lossy: Queue) -> None:
    assert lossy.enqueue(new_job(dedupe_key="a"))
    assert not lossy.enqueue(new_job(dedupe_key="a"))
    assert len(rows(lossy.url, "select id from jobs")) == 1


def test_a_job_of_many_is_no_duplicate_of_itself(lossy: Queue) -> None:
    jobs = [new_job(dedupe_key="a"), new_job(dedupe_key="b")]
    assert lossy.enqueue_many(jobs) == {job.id for job in jobs}
    assert lossy.enqueue_many([new_job(dedupe_key="a")]) == set()


def test_a_job_that_began_before_its_making_was_said_again_is_still_that_job(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, lost, other = queue.connection._execute, iter([True]), Queue(queue.url)

    def once(query: Any, values: Any) -> Any:
        found = execute(query, values)
        if next(lost, False):
            assert other.claim(wish())
            raise psycopg2.OperationalError("the connection broke")
        return found

    monkeypatch.setattr(queue.connection, "_execute", once)
    job = new_job(dedupe_key="a")
    assert enqueue_replacing(queue, job, put_off=False) == job.id
    assert rows(queue.url, "select id, status, dedupe_key from jobs") == [(str(job.id), "running", "a")]
    other.close()


@pytest.mark.parametrize("dedupe_key", [None, "a"])
def test_a_job_that_was_made_claimed_is_ours(lossy: Queue, dedupe_key: str | None) -> None:
    claim = lossy.enqueue_claimed(new_job(dedupe_key=dedupe_key), wish(uuid4()))
    assert isinstance(claim, Claim)
    assert lossy.complete(claim, "{}")


def test_an_end_whose_commit_was_not_heard_of_is_kept_and_its_callbacks_are_called_once(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(queue)
    claim, transaction, called = take(queue), queue.connection.transaction, []

    @contextmanager
    def broken() -> Iterator[Any]:
        with transaction() as cursor:
            yield cursor
        raise DatabaseUnavailable("the answer to the commit is lost")

    with monkeypatch.context() as patch:
        patch.setattr(queue.connection, "transaction", broken)
        with pytest.raises(DatabaseUnavailable):
            queue.complete(claim, "{}", callbacks=[called.append])
    assert queue.complete(claim, "{}", callbacks=[called.append])
    assert len(called) == 1


def test_a_slot_is_free_again_when_nobody_knows_whether_its_job_was_made(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(lambda: runner.groups["thread"].at_rest(), "the first looks are over")
    transaction = local.queue.connection.transaction

    @contextmanager
    def broken() -> Iterator[Any]:
        with transaction() as cursor:
            yield cursor
        raise DatabaseUnavailable("the answer to the commit is lost")

    with monkeypatch.context() as patch:
        patch.setattr(local.queue.connection, "transaction", broken)
        with pytest.raises(DatabaseUnavailable):
            ask(idempotency=idempotency("a"))
    until(lambda: runner.groups["thread"].at_rest(), "the slot is free again", seconds=3)
    again = ask(idempotency=idempotency("a"))
    assert not again.created
    rows(runner.queue.url, "update jobs set lease_expires_at = now()")
    assert wait_for(again.job_id, 30).status == "completed"
