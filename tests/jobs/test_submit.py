"""Submitting: a job runs at once in a free slot, waits its turn, or is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg2
import pytest
from pydantic import BaseModel

from tests.jobs.making import OWNER, ask, idempotency, make, new_job, rows, until, wish
from tests.jobs.sample_jobs import Params
from thetool.config import Settings
from thetool.jobs import idempotency as keys
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.registry import UnknownKind
from thetool.jobs.runner import Runner
from thetool.jobs.submit import NoWorker, QueueFull, QuotaExceeded, Submission, submit
from thetool.jobs.waiting import look_at, wait_for
from thetool.web.problems import ValidationFailed


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
    with pytest.raises(ValueError, match="tried 1 to 1,000 times"):
        ask(max_attempts=0)
    with pytest.raises(ValueError, match="zone"):
        ask(run_at=datetime(2026, 1, 1))
    with pytest.raises(TypeError, match="no option prority"):
        ask(prority=1)
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


def test_a_submit_under_load_runs_each_job_once(runner: Runner) -> None:
    with ThreadPoolExecutor(16) as pool:
        submitted = list(pool.map(lambda number: ask(str(number)).job_id, range(300)))
        results = list(pool.map(lambda job_id: wait_for(job_id, 60).result, submitted))
    assert [result and result["text"] for result in results] == [str(number) for number in range(300)]
    assert rows(runner.queue.url, "select status, attempts, count(*) from jobs group by 1, 2") == [
        ("completed", 1, 300)
    ]
