"""A request that is sent again: the same key gives the same job, whoever asks and whenever."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from tests.jobs.making import OWNER, ask, idempotency, rows, until
from thetool.jobs import admission
from thetool.jobs import idempotency as keys
from thetool.jobs.idempotency import AnsweredWithoutJob, Idempotency, IdempotencyConflict
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.submit import Submission
from thetool.jobs.waiting import wait_for
from thetool.web.problems import ValidationFailed


def test_the_same_key_and_request_give_the_first_job_again(runner: Runner) -> None:
    first = ask(idempotency=idempotency("k1"))
    assert first.created
    assert ask(idempotency=idempotency("k1")) == Submission(first.job_id, created=False)
    assert wait_for(first.job_id, 30).status == "completed"
    assert ask(idempotency=idempotency("k1")) == Submission(first.job_id, created=False)
    assert ask(idempotency=idempotency("k2")).created


def test_the_same_key_for_another_request_is_a_conflict(runner: Runner) -> None:
    ask(idempotency=idempotency("k1"))
    with pytest.raises(IdempotencyConflict) as caught:
        ask(idempotency=idempotency("k1", "another"))
    assert (caught.value.status, caught.value.code) == (409, "idempotency_conflict")


def test_of_many_requests_at_once_with_one_key_one_makes_the_job(runner: Runner) -> None:
    start = threading.Barrier(16)

    def once(number: int) -> Submission:
        start.wait()
        return ask(idempotency=idempotency("race"))

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(once, range(16)))
    assert len({submission.job_id for submission in made}) == 1
    assert sum(submission.created for submission in made) == 1
    assert rows(runner.queue.url, "select count(*) from jobs") == [(1,)]


def test_of_two_processes_with_one_key_the_second_waits_for_the_first(runner: Runner) -> None:
    """The first has reserved the key and not committed; then it gives up, and the second has it."""
    first = psycopg2.connect(runner.queue.url)
    with first.cursor() as cursor:
        ask(idempotency=idempotency("slow"), cursor=cursor)
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(ask, idempotency=idempotency("slow"))
            waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            until(lambda: rows(runner.queue.url, waits) == [(1,)], "the second waits")
            first.rollback()
            assert second.result(30).created
    first.close()


def test_a_transaction_that_others_wait_for_needs_no_connection_of_theirs(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread has reserved a key and not committed, another waits for it on the process's connection: the first
    can still submit."""
    monkeypatch.setattr(admission, "FAR_SECONDS", 0)
    first = psycopg2.connect(runner.queue.url)
    with first.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        made = ask(idempotency=idempotency("slow"), cursor=cursor)
        second = pool.submit(ask, idempotency=idempotency("slow"))
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        until(lambda: rows(runner.queue.url, waits) == [(1,)], "the second waits")
        cursor.execute("set statement_timeout = 5000")
        ask(cursor=cursor, job_quota=1000)
        ask(cursor=cursor, dedupe_key="one")
        assert not second.done()
        first.commit()
        assert second.result(30) == Submission(made.job_id, created=False)
    first.close()


def test_a_key_that_an_answer_without_a_job_has_says_so(runner: Runner) -> None:
    analysis = uuid4()
    keys.remember(idempotency("cached"), analysis_id=analysis)
    with pytest.raises(AnsweredWithoutJob) as caught:
        ask(idempotency=idempotency("cached"))
    assert caught.value.first == keys.Remembered(None, analysis)
    assert rows(runner.queue.url, "select count(*) from jobs") == [(0,)]


def test_the_key_of_a_job_that_is_gone_makes_another_and_only_one(runner: Runner) -> None:
    """Its time to live may be shorter than the key's."""
    first = ask(idempotency=idempotency("k"))
    wait_for(first.job_id, 30)
    rows(runner.queue.url, "delete from jobs")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ask(idempotency=idempotency("k")), range(8)))
    assert sum(one.created for one in made) == 1
    assert {one.job_id for one in made} == {next(one.job_id for one in made if one.created)}


def test_a_key_that_vanishes_while_it_is_looked_up_is_taken(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(idempotency=idempotency("k"))
    recall = keys.recall

    def too_late(*given: Any, **named: Any) -> Any:
        rows(runner.queue.url, "delete from idempotency_keys")
        return recall(*given, **named)

    monkeypatch.setattr(keys, "recall", too_late)
    assert keys.remember(idempotency("k"), analysis_id=uuid4()) is None
    assert rows(runner.queue.url, "select count(*) from idempotency_keys") == [(1,)]


def test_whoever_asks_again_is_told_so(runner: Runner) -> None:
    told: list[str] = []
    again = Idempotency(OWNER, "k", hashlib.sha256(b"the same").digest(), on_replay=lambda: told.append("again"))
    ask(idempotency=again)
    assert told == []
    ask(idempotency=again)
    assert told == ["again"]


def test_an_old_key_may_be_used_again(runner: Runner) -> None:
    first = ask(idempotency=idempotency("old"))
    rows(runner.queue.url, "update idempotency_keys set expires_at = now() - interval '1 second'")
    again = ask(idempotency=idempotency("old", "another"))
    assert again.created
    assert again.job_id != first.job_id


def test_a_key_may_stand_for_an_analysis(runner: Runner) -> None:
    analysis = uuid4()
    assert keys.remember(idempotency("cached"), analysis_id=analysis) is None
    assert keys.recall(idempotency("cached")) == keys.Remembered(None, analysis)
    with pytest.raises(IdempotencyConflict):
        keys.recall(idempotency("cached", "another"))
    assert keys.recall(idempotency("unknown")) is None


def test_a_key_and_a_dedupe_key_together(away: Queue) -> None:
    first = ask(dedupe_key="one")
    assert ask(dedupe_key="one", idempotency=idempotency("k")) == Submission(first.job_id, created=False)
    assert keys.recall(idempotency("k")) == keys.Remembered(first.job_id, None)


def test_a_deleted_job_is_forgotten_by_its_key(runner: Runner) -> None:
    first = ask(idempotency=idempotency("k"))
    wait_for(first.job_id, 30)
    runner.queue.delete(first.job_id)
    assert ask(idempotency=idempotency("k")).created


@pytest.mark.parametrize("key", ["", "x" * 256, "with blank", "tab\t", "é", "nul\0"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ValidationFailed):
        idempotency(key)


def test_what_is_queued_with_a_key_is_told_to_the_others(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner.groups["thread"], "reserve", lambda: None)
    listener = psycopg2.connect(runner.queue.url)
    listener.autocommit = True
    with closing(listener), listener.cursor() as cursor:
        cursor.execute("listen thetool_jobs")
        assert ask(idempotency=idempotency("told-to-the-others")).created
        until(lambda: listener.poll() or listener.notifies, "a word of it")
        assert listener.notifies[0].payload == f"cpu:thread:{runner.worker_id}"
