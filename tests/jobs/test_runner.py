from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from tests.jobs import sample_jobs
from tests.jobs.making import OWNER, make, rows, until
from thetool.config import Settings
from thetool.database.ids import new_id
from thetool.jobs.context import JobContext
from thetool.jobs.queue import Queue
from thetool.jobs.registry import get_kind
from thetool.jobs.runner import Runner, current_runner
from thetool.jobs.submit import submit
from thetool.jobs.waiting import look_at, wait_for


@pytest.fixture
def stranger(runner: Runner) -> Iterator[Queue]:
    """The same queue, as another process sees it."""
    stranger = Queue(runner.queue.url, lease=runner.queue.lease)
    yield stranger
    stranger.close()


def test_a_job_runs_and_gives_its_result(runner: Runner) -> None:
    snapshot = wait_for(make("sample.noop", text="hello"), 30)
    assert (snapshot.status, snapshot.result) == (
        "completed",
        {"text": "hello", "attempt": 1, "number": None, "values": []},
    )
    assert snapshot.correlation_id == "test-request"
    assert look_at(snapshot.id).status == "completed"
    assert current_runner() is runner


def test_many_jobs_run_at_most_two_at_a_time(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    now, most, lock = 0, 0, threading.Lock()

    def count(context: JobContext, params: sample_jobs.Params) -> sample_jobs.Result:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1
        return sample_jobs.Result()

    kind = get_kind("sample.noop")
    monkeypatch.setattr("thetool.jobs.registry._kinds", {"sample.noop": _with_handler(kind, count)})
    jobs = [make("sample.noop") for _ in range(60)]
    assert {wait_for(job_id, 60).status for job_id in jobs} == {"completed"}
    assert most == 2
    assert rows(runner.queue.url, "select distinct attempts from jobs") == [(1,)]


def _with_handler(kind: object, handler: object) -> object:
    from dataclasses import replace

    return replace(kind, handler=handler)  # type: ignore[type-var]


def test_a_failure_is_told_with_its_traceback(runner: Runner) -> None:
    snapshot = wait_for(make("sample.fail", text="it is broken"), 30)
    assert snapshot.status == "failed"
    assert snapshot.error
    assert (snapshot.error["code"], snapshot.error["message"]) == ("job_failed", "ValueError: it is broken")
    assert "sample_jobs.py" in snapshot.error["traceback"]
    assert snapshot.attempts == 1


def test_a_transient_failure_is_tried_again(runner: Runner, quick_retries: None) -> None:
    snapshot = wait_for(make("sample.transient", number=2), 30)
    assert (snapshot.status, snapshot.attempts) == ("completed", 2)
    assert look_at(snapshot.id).error is None


def test_it_is_tried_as_often_as_it_may_be(runner: Runner, quick_retries: None) -> None:
    made = submit("sample.transient", sample_jobs.Params(number=9), owner_id=OWNER, max_attempts=2)
    snapshot = wait_for(made.job_id, 30)
    assert snapshot.error
    assert (snapshot.status, snapshot.error["code"], snapshot.attempts) == ("failed", "transient_error", 2)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nan", "result_not_storable"),
        ("nul", "result_not_storable"),
        ("surrogate", "result_not_storable"),
        ("large", "result_too_large"),
    ],
)
def test_a_result_that_cannot_be_stored_fails_the_job(runner: Runner, text: str, code: str) -> None:
    error = wait_for(make("sample.odd", text=text), 30).error
    assert error
    assert error["code"] == code


def test_parameters_of_another_version_fail_the_job(runner: Runner, stranger: Queue) -> None:
    from tests.jobs.making import new_job

    job = new_job(params='{"seconds": "many"}')
    stranger.enqueue(job)
    error = wait_for(job.id, 30).error
    assert error
    assert (error["code"], error["message"].split(":")[0]) == ("invalid_params", "seconds")


def test_a_running_thread_job_is_cancelled(runner: Runner, stranger: Queue) -> None:
    job_id = make("sample.sleep", seconds=60)
    assert stranger.cancel(job_id) == "running"
    snapshot = wait_for(job_id, 30)
    assert (snapshot.status, snapshot.result) == ("cancelled", None)


def test_a_job_that_finishes_all_the_same_stays_cancelled(runner: Runner, stranger: Queue) -> None:
    job_id = make("sample.deaf", seconds=1)
    stranger.cancel(job_id)
    assert wait_for(job_id, 30).status == "cancelled"


def test_a_cancellation_is_found_without_a_notification(runner: Runner) -> None:
    """Behind a pooler no NOTIFY arrives."""
    job_id = make("sample.sleep", seconds=60)
    rows(runner.queue.url, "update jobs set cancel_requested_at = now()")
    assert wait_for(job_id, 30).status == "cancelled"


def test_a_job_is_found_without_a_notification(runner: Runner, stranger: Queue) -> None:
    from tests.jobs.making import new_job

    job = new_job()
    stranger.enqueue(job, notify=False)
    assert wait_for(job.id, 30).status == "completed"


def test_a_thread_job_that_asks_is_stopped_when_its_time_is_up(runner: Runner) -> None:
    snapshot = wait_for(make("sample.sleep", timeout=0.3, seconds=60), 30)
    assert snapshot.error
    assert (snapshot.status, snapshot.error["code"]) == ("failed", "timeout")
    assert snapshot.attempts == 1
    assert not runner.wants_replacement


def test_a_thread_job_that_does_not_ask_is_failed_and_its_process_given_up(runner: Runner) -> None:
    deaf = [make("sample.deaf", timeout=0.3, seconds=3) for _ in range(2)]
    for job_id in deaf:
        snapshot = wait_for(job_id, 30)
        assert snapshot.error
        assert (snapshot.status, snapshot.error["code"]) == ("failed", "timeout")
    assert runner.wants_replacement
    assert wait_for(make("sample.noop"), 30).status == "completed"  # both slots were replaced
    until(lambda: runner.busy() == 0, "the given-up jobs count no more")
    assert runner.drain(30)
    until(lambda: not [t for t in threading.enumerate() if t.name in {"job-thread-1", "job-thread-2"}], "they end")
    assert [look_at(job_id).status for job_id in deaf] == ["failed", "failed"]


def test_progress_is_seen_while_the_job_runs_and_its_last_word_is_kept(runner: Runner) -> None:
    job_id = make("sample.steps", seconds=0.6)
    stages = []
    until(lambda: stages.append(look_at(job_id).stage) or look_at(job_id).finished, "the job ends")
    seen = [stage for stage in dict.fromkeys(stages) if stage]
    assert seen == ["reading", "thinking", "writing", "checking"]
    told = rows(runner.queue.url, "select stage, message, progress from job_events order by id")
    assert told[0] == ("reading", "Step 1 of 4…", 0.2)


def test_quick_progress_is_written_seldom(runner: Runner) -> None:
    wait_for(make("sample.steps", seconds=0), 30)
    assert rows(runner.queue.url, "select count(*) from job_events")[0][0] <= 2


def test_every_log_line_of_a_job_names_it(runner: Runner) -> None:
    with capture_logs([__import__("structlog").contextvars.merge_contextvars]) as lines:
        job_id = make("sample.steps", text="x")
        wait_for(job_id, 30)
    (line,) = [line for line in lines if line["event"] == "all steps done"]
    assert (line["job_id"], line["correlation_id"]) == (str(job_id), "test-request")


def test_draining_waits_for_what_runs_and_takes_nothing_new(runner: Runner, stranger: Queue) -> None:
    from tests.jobs.making import new_job

    running = make("sample.sleep", seconds=1)
    until(lambda: runner.busy() == 1, "it runs")
    runner.stop_claiming()
    waiting = new_job()
    stranger.enqueue(waiting)
    assert runner.drain(30)
    assert runner.busy() == 0
    assert look_at(running).status == "completed"
    assert look_at(waiting.id).status == "queued"


def test_what_does_not_end_in_time_is_handed_back_with_no_attempt_used(runner: Runner) -> None:
    jobs = [
        make("sample.sleep", seconds=60),
        make("sample.deaf", seconds=3),
        make("sample.child", text="sleep", seconds=60),
    ]
    until(lambda: runner.busy() == 3, "all three run")
    assert not runner.drain(0.1)
    assert runner.hand_back() == 3
    assert rows(runner.queue.url, "select distinct status, attempts, lost, claim_token from jobs") == [
        ("queued", 0, 0, None)
    ]
    until(lambda: runner.busy() == 0, "the deaf one ends too")
    assert {look_at(job_id).status for job_id in jobs} == {"queued"}


def test_closing_leaves_nothing(job_settings: Settings, here: None) -> None:
    runner = Runner(job_settings)
    runner.start()
    make("sample.sleep", seconds=60)
    wait_for(make("sample.child", text="echo"), 30)
    runner.close()
    runner.close()
    url = job_settings.database_url
    assert url
    assert current_runner() is None
    assert rows(url, "select status, attempts from jobs where kind = 'sample.sleep'") == [("queued", 0)]
    assert rows(url, "select count(*) from workers") == [(0,)]
    count = (
        "select count(*) from pg_stat_activity"
        " where datname = current_database() and application_name in ('thetool queue', 'thetool listen')"
    )
    until(lambda: rows(url, count) == [(0,)], "its connections are closed")


def test_a_worker_says_what_it_takes(runner: Runner) -> None:
    (worker,) = runner.queue.live_workers()
    assert worker["id"] == runner.worker_id
    assert {"sample.noop", "sample.child"} <= set(worker["kinds"])
    assert (worker["slots"], worker["draining"]) == (6, False), (
        "two threads, a child, two for the network, one for housekeeping"
    )


def test_a_job_whose_claim_was_lost_is_stopped(runner: Runner) -> None:
    """As when the machine slept, and another worker took the job back meanwhile."""
    job_id = make("sample.sleep", seconds=60)
    until(lambda: runner.busy() == 1, "it runs")
    rows(runner.queue.url, "update jobs set claim_token = %s, worker_id = %s", str(uuid4()), str(new_id()))
    until(lambda: runner.busy() == 0, "it is stopped")
    assert look_at(job_id).status == "running"


def test_its_owner_is_known_to_the_job(runner: Runner) -> None:
    owners = []

    def handler(context: JobContext, params: sample_jobs.Params) -> sample_jobs.Result:
        owners.append(context.owner_id)
        return sample_jobs.Result()

    from thetool.jobs import registry

    kinds = dict(registry._kinds)
    try:
        registry._kinds["sample.noop"] = _with_handler(get_kind("sample.noop"), handler)  # type: ignore[assignment]
        wait_for(make("sample.noop"), 30)
    finally:
        registry._kinds.update(kinds)
    assert owners == [OWNER]
