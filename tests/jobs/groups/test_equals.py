from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg2
import pytest

from tests.jobs.making import OWNER, rows, until, wish
from tests.jobs.sample_jobs import Params
from thetool.config import Settings
from thetool.jobs.claims import Claim
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.submit import DuplicateJob, Submission, submit
from thetool.jobs.waiting import look_at, wait_for

MODES = ("existing", "reject", "replace", "debounce")


def ask(text: str = "", dedupe: Any = "existing", **options: Any) -> Submission:
    if dedupe == "debounce":
        options.setdefault("run_at", later(0))
    return submit("sample.noop", Params(text=text), owner_id=OWNER, dedupe=dedupe, dedupe_key="one", **options)


def later(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def params(url: str) -> list[Any]:
    return rows(url, "select params->>'text', status from jobs order by id")


@pytest.fixture
def away(job_settings: Settings, here: None) -> Iterator[Queue]:
    """No runner here; one elsewhere offers the kind and never gets to work."""
    queue = Queue(job_settings.database_url or "", lease=30)
    told = {"host": "", "pid": 1, "version": "", "slots": 1, "running": 0, "draining": False}
    queue.heartbeat(uuid4(), kinds=["sample.noop"], **told)
    yield queue
    queue.close()


def claimed(queue: Queue) -> Claim:
    (claim,) = queue.claim(wish())
    return claim


def test_existing_gives_the_earlier_job_queued_or_running(away: Queue) -> None:
    first = ask("a")
    assert ask("b") == Submission(first.job_id, created=False)
    claimed(away)
    assert ask("c") == Submission(first.job_id, created=False)
    assert params(away.url) == [("a", "running")]


def test_reject_names_the_earlier_job_queued_or_running(away: Queue) -> None:
    first = ask("a", "reject")
    for _ in range(2):
        with pytest.raises(DuplicateJob) as caught:
            ask("b", "reject")
        assert (caught.value.status, caught.value.code) == (409, "duplicate_job")
        assert caught.value.extra == {"job_id": str(first.job_id)}
        away.claim(wish())
    assert params(away.url) == [("a", "running")]


def test_replace_gives_the_queued_job_what_is_new_and_keeps_its_place(away: Queue) -> None:
    first = ask("a", priority=1, correlation_id="r1")
    ((place,),) = rows(away.url, "select run_at from jobs")
    again = ask("b", "replace", priority=7, timeout=9, title="b.txt", correlation_id="r2")
    assert again == Submission(first.job_id, created=False, replaced=True)
    told = "select params->>'text', priority, timeout_s, title, correlation_id, run_at from jobs"
    assert rows(away.url, told) == [("b", 7, 9.0, "b.txt", "r2", place)]
    when = later(60)
    ask("c", "replace", run_at=when)
    assert rows(away.url, "select params->>'text', run_at from jobs") == [("c", when)]


def test_a_replaced_job_has_all_its_attempts_again(away: Queue) -> None:
    ask("a")
    rows(away.url, "update jobs set attempts = 2, error = '{}', run_at = now() + interval '1 hour'")
    ask("b", "replace")
    assert rows(away.url, "select attempts, error, run_at <= now() from jobs") == [(0, None, True)]


def test_debounce_puts_the_queued_job_off_and_never_brings_it_forward(away: Queue) -> None:
    first = ask("a", "debounce", run_at=later(10))
    second = later(20)
    assert ask("b", "debounce", run_at=second) == Submission(first.job_id, created=False, replaced=True)
    assert rows(away.url, "select params->>'text', run_at from jobs") == [("b", second)]
    ask("c", "debounce", run_at=later(5))
    assert rows(away.url, "select params->>'text', run_at from jobs") == [("c", second)]


@pytest.mark.parametrize("mode", ["replace", "debounce"])
def test_a_job_that_has_begun_gives_its_key_up(away: Queue, mode: str) -> None:
    first = ask("a")
    claim = claimed(away)
    second = ask("b", mode)
    assert second.created
    assert second.job_id != first.job_id
    assert params(away.url) == [("a", "running"), ("b", "queued")]
    assert away.complete(claim, "{}")
    assert ask("c", mode).job_id == second.job_id


def test_another_owner_has_keys_of_its_own(away: Queue) -> None:
    other = UUID("00000000-0000-7000-8000-000000000002")
    rows(away.url, "insert into owners (id, name) values (%s, 'other')", str(other))
    ask("a")
    made = submit("sample.noop", Params(), owner_id=other, dedupe="reject", dedupe_key="one")
    assert made.created


@pytest.mark.parametrize("mode", MODES)
def test_of_many_at_once_one_makes_the_job(away: Queue, mode: str) -> None:
    start = threading.Barrier(8)
    queues = [Queue(away.url) for _ in range(8)]

    def once(number: int) -> Submission | None:
        """Each on a connection of its own, so that Postgres sees them at once."""
        connection = psycopg2.connect(away.url)
        start.wait()
        try:
            with connection, connection.cursor() as cursor:
                return ask(str(number), mode, cursor=cursor)
        except DuplicateJob:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(once, range(8)))
    for queue in queues:
        queue.close()
    assert len({one.job_id for one in made if one}) == 1
    assert sum(one.created for one in made if one) == 1
    ((text, status),) = params(away.url)
    assert status == "queued"
    if mode == "reject":
        assert made.count(None) == 7
    elif mode != "existing":
        assert sum(one.replaced for one in made if one) == 7
        assert text in map(str, range(8))


def test_while_workers_run_them_the_last_parameters_are_run(runner: Runner) -> None:
    """Replaced again and again while slots take them: whatever happens, the last text is one that was run."""
    for number in range(60):
        ask(str(number), "replace")
    until(lambda: all(status == "completed" for _, status in params(runner.queue.url)), "all ran")
    assert params(runner.queue.url)[-1][0] == "59"


def test_a_replaced_job_runs_once_with_what_came_last(runner: Runner) -> None:
    first = ask("a", "debounce", run_at=later(1))
    ask("b", "debounce", run_at=later(1))
    result = wait_for(first.job_id, 30).result
    assert result
    assert result["text"] == "b"
    assert look_at(first.job_id).attempts == 1


def test_options_that_make_no_sense_are_refused(here: None) -> None:
    with pytest.raises(ValueError, match="needs a dedupe_key"):
        submit("sample.noop", Params(), owner_id=OWNER, dedupe="reject")
    with pytest.raises(ValueError, match="needs a run_at"):
        ask("", "debounce", run_at=None)
    with pytest.raises(ValueError, match="dedupe is one of"):
        ask("", "odd")
