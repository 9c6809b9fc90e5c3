from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest
from pydantic import BaseModel

from tests.jobs.making import OWNER, make, new_job, rows, until, wish
from tests.jobs.sample_jobs import Params
from thetool.config import Settings
from thetool.jobs import admission
from thetool.jobs import idempotency as keys
from thetool.jobs.idempotency import AnsweredWithoutJob, Idempotency, IdempotencyConflict
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.registry import UnknownKind
from thetool.jobs.runner import Runner
from thetool.jobs.submit import NoWorker, QueueFull, QuotaExceeded, Submission, submit
from thetool.jobs.waiting import look_at, wait_for
from thetool.web.problems import ValidationFailed


def ask(text: str = "", **options: Any) -> Submission:
    return submit("sample.noop", Params(text=text), owner_id=OWNER, **options)


def idempotency(key: str, request: str = "the same") -> Idempotency:
    return Idempotency(OWNER, key, hashlib.sha256(request.encode()).digest())


@pytest.fixture
def away(job_settings: Settings, here: None) -> Iterator[Queue]:
    """No runner here, but one elsewhere offers the kinds and never gets to work: what is submitted stays queued."""
    queue = Queue(job_settings.database_url or "", lease=30)
    told = {"host": "", "pid": 1, "version": "", "slots": 1, "running": 0, "draining": False}
    queue.heartbeat(uuid4(), kinds=["sample.noop"], **told)
    yield queue
    queue.close()


def test_a_job_runs_at_once_in_a_free_slot(runner: Runner) -> None:
    until(lambda: runner.groups["thread"].at_rest(), "the first looks are over")
    job_id = make("sample.sleep", seconds=60)
    assert rows(runner.queue.url, "select id, status, attempts, worker_id from jobs") == [
        (str(job_id), "running", 1, str(runner.worker_id))
    ]


def test_a_job_waits_where_no_slot_is_free(runner: Runner) -> None:
    for _ in range(2):
        make("sample.sleep", seconds=1)
    third = make("sample.noop")
    assert look_at(third).status == "queued"
    assert wait_for(third, 30).status == "completed"


def test_a_job_does_not_overtake_an_older_one_that_is_ready(runner: Runner) -> None:
    """The older one is there without a notification, so nobody has looked at it yet."""
    until(lambda: runner.groups["thread"].at_rest(), "the first looks are over")
    runner.watcher.close()
    older = new_job()
    Queue(runner.queue.url).enqueue(older, notify=False)
    younger = ask().job_id
    assert wait_for(younger, 30).status == "completed"
    started = rows(runner.queue.url, "select id::text from jobs order by started_at")
    assert started == [(str(older.id),), (str(younger),)]


def test_a_later_job_is_not_started_early(runner: Runner) -> None:
    when = datetime.now(UTC) + timedelta(seconds=1)
    later = ask(run_at=when).job_id
    now = ask().job_id
    assert wait_for(now, 30).status == "completed"
    snapshot = wait_for(later, 30)
    assert snapshot.started_at
    assert snapshot.started_at >= when


def test_a_job_of_a_transaction_starts_when_that_is_committed(runner: Runner) -> None:
    connection = psycopg2.connect(runner.queue.url)
    with connection, connection.cursor() as cursor:
        job_id = ask(cursor=cursor).job_id
        assert runner.queue.snapshot(job_id) is None
    assert wait_for(job_id, 30).status == "completed"
    with connection.cursor() as cursor:
        gone = ask(cursor=cursor, idempotency=idempotency("gone")).job_id
    connection.rollback()
    connection.close()
    assert runner.queue.snapshot(gone) is None
    assert keys.recall(idempotency("gone")) is None


def test_wrong_arguments_are_refused(here: None) -> None:
    class Others(BaseModel):
        pass

    with pytest.raises(UnknownKind):
        submit("sample.unknown", Params(), owner_id=OWNER)
    with pytest.raises(TypeError):
        submit("sample.noop", Others(), owner_id=OWNER)
    with pytest.raises(ValueError, match="timeout"):
        ask(timeout=0)
    with pytest.raises(ValidationFailed, match="NUL"):
        ask("\0")
    with pytest.raises(ValidationFailed, match="NaN"):
        submit("sample.noop", Params(number=float("nan")), owner_id=OWNER)


def test_without_a_worker_nothing_is_taken(here: None) -> None:
    with pytest.raises(NoWorker) as caught:
        ask()
    assert (caught.value.status, caught.value.code) == (503, "no_worker")
    assert "Retry-After" in caught.value.headers


def test_a_worker_elsewhere_is_enough(away: Queue) -> None:
    assert look_at(ask().job_id).status == "queued"
    with pytest.raises(NoWorker):
        submit("sample.sleep", Params(), owner_id=OWNER)


def test_a_full_queue_refuses(away: Queue, job_settings: Settings) -> None:
    local.configure(job_settings.model_copy(update={"max_queued_jobs": 5}))
    for _ in range(5):
        ask()
    with pytest.raises(QueueFull) as caught:
        ask()
    assert (caught.value.status, caught.value.code, caught.value.extra) == (429, "queue_full", {"depth": 5})
    assert "Retry-After" in caught.value.headers
    away.claim(wish())
    assert ask().created


def test_a_quota_is_of_one_owner(away: Queue) -> None:
    for _ in range(2):
        ask(job_quota=2)
    with pytest.raises(QuotaExceeded):
        ask(job_quota=2)
    rows(away.url, "insert into owners (id, name) values (%s, 'other')", "00000000-0000-7000-8000-000000000002")
    other = UUID("00000000-0000-7000-8000-000000000002")
    assert submit("sample.noop", Params(), owner_id=other, job_quota=2).created


def test_a_dedupe_key_gives_the_unfinished_job_again(away: Queue) -> None:
    first = ask(dedupe_key="one")
    assert ask(dedupe_key="one") == Submission(first.job_id, created=False)
    rows(away.url, "insert into owners (id, name) values (%s, 'other')", "00000000-0000-7000-8000-000000000002")
    other = UUID("00000000-0000-7000-8000-000000000002")
    assert submit("sample.noop", Params(), owner_id=other, dedupe_key="one").created
    away.cancel(first.job_id)
    assert ask(dedupe_key="one").created


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


def test_a_submit_under_load_runs_each_job_once(runner: Runner) -> None:
    with ThreadPoolExecutor(16) as pool:
        submitted = list(pool.map(lambda number: ask(str(number)).job_id, range(300)))
        results = list(pool.map(lambda job_id: wait_for(job_id, 60).result, submitted))
    assert [result and result["text"] for result in results] == [str(number) for number in range(300)]
    assert rows(runner.queue.url, "select status, attempts, count(*) from jobs group by 1, 2") == [
        ("completed", 1, 300)
    ]


def test_with_a_key_postgres_tells_the_others_at_the_commit(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watcher tells them a little later, which may be before the commit: then they look in vain."""
    monkeypatch.setattr(runner.groups["thread"], "reserve", lambda: None)
    monkeypatch.setattr(runner.watcher, "may_notify", lambda queue, runs: pytest.fail("left to the watcher"))
    assert ask(idempotency=idempotency("told-at-the-commit")).created
