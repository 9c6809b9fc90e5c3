"""Several jobs in one slot: each keeps its own rights, and none waits for a slow one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from tests.jobs.making import make, new_job, rows, until, wish
from thetool.config import Settings
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.claims import Claim, NewJob
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.waiting import look_at, wait_for


@pytest.fixture
def runner(job_settings: Settings, here: None) -> Iterator[Runner]:
    """A runner with one thread and one child, which takes jobs of two kinds for quick; its slots had one each."""
    settings = job_settings.model_copy(update={"job_threads": 1})
    local.configure(settings)
    runner = Runner(settings)
    runner.start()
    for kind in ("sample.sleep", "sample.odd", "sample.child"):
        for _ in range(200):
            runner._pace.note(kind, 0.0005)
    wait_for(make("sample.sleep"), 30)
    until(lambda: runner.groups["thread"].at_rest(), "the slot sleeps")
    yield runner
    runner.close()


@pytest.fixture
def stranger(runner: Runner) -> Iterator[Queue]:
    """The same queue, as another process sees it."""
    stranger = Queue(runner.queue.url, lease=runner.queue.lease)
    yield stranger
    stranger.close()


@pytest.fixture
def sizes(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many jobs each batch had."""
    seen: list[int] = []
    work = runner._batches.work

    def counted(claims: Sequence[Claim], slot: Any) -> list[Claim]:
        seen.append(len(claims))
        return work(claims, slot)

    monkeypatch.setattr(runner._batches, "work", counted)
    return seen


def job(seconds: float = 0, **changes: Any) -> NewJob:
    return new_job(**{"kind": "sample.sleep", "params": f'{{"seconds":{seconds}}}', **changes})


def statuses(jobs: Sequence[NewJob]) -> list[str]:
    return [look_at(job.id).status for job in jobs]


def finish(jobs: Sequence[NewJob]) -> list[str]:
    return [wait_for(job.id, 30).status for job in jobs]


def test_quick_jobs_are_taken_and_finished_together(runner: Runner, stranger: Queue, sizes: list[int]) -> None:
    jobs = [job() for _ in range(120)]
    stranger.enqueue_many(jobs)
    assert set(finish(jobs)) == {"completed"}
    assert max(sizes) == 50
    assert len(sizes) < 10
    started = rows(runner.queue.url, "select distinct attempts, lost from jobs")
    assert started == [(1, 0)]


def test_what_is_not_known_to_be_quick_comes_singly(runner: Runner, stranger: Queue, sizes: list[int]) -> None:
    jobs = [job(kind="sample.noop", params="{}") for _ in range(15)]
    stranger.enqueue_many(jobs)
    assert set(finish(jobs)) == {"completed"}
    assert set(sizes) == {1}


def test_nothing_waits_for_a_job_that_is_slow_for_once(runner: Runner, stranger: Queue, sizes: list[int]) -> None:
    """What is done is written, and what was not begun is given back with the attempt not used."""
    jobs = [job(), job(), job(60), job(), job()]
    stranger.enqueue_many(jobs)
    until(lambda: statuses(jobs) == ["completed"] * 2 + ["running"] + ["queued"] * 2, "all but the slow one are let go")
    assert sizes == [5]
    assert len(stranger.claim(wish(kind="sample.sleep", limit=5))) == 2
    stranger.cancel(jobs[2].id)
    assert finish(jobs[:3]) == ["completed", "completed", "cancelled"]
    assert rows(runner.queue.url, "select distinct attempts, lost from jobs") == [(1, 0)]


def test_each_job_of_a_batch_is_cancelled_for_itself(runner: Runner, stranger: Queue) -> None:
    first, second, third = jobs = [job(60), job(60), job()]
    stranger.enqueue_many(jobs)
    until(lambda: runner.busy() >= 1, "the first runs")
    stranger.cancel(second.id)
    stranger.cancel(first.id)
    assert finish(jobs) == ["cancelled", "cancelled", "completed"]


def test_each_job_of_a_batch_has_its_own_time(runner: Runner, stranger: Queue) -> None:
    jobs = [job(), job(60, timeout=0.3), job()]
    stranger.enqueue_many(jobs)
    assert finish(jobs) == ["completed", "failed", "completed"]
    error = look_at(jobs[1].id).error
    assert error
    assert error["code"] == "timeout"


def test_one_result_that_cannot_be_stored_harms_no_other(
    runner: Runner, stranger: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What passed our own checks, and Postgres refuses all the same."""
    monkeypatch.setattr("thetool.jobs.results.to_json_text", lambda result: result.text)
    jobs = [job(params=f'{{"text":"{text}"}}') for text in ("1", "{", "3")]
    stranger.enqueue_many(jobs)
    assert finish(jobs) == ["completed", "failed", "completed"]
    error = look_at(jobs[1].id).error
    assert error
    assert error["code"] == "result_not_storable"


def test_one_that_cannot_be_stored_beside_a_slow_one(
    runner: Runner, stranger: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are written at once, and nobody tries again and again."""
    monkeypatch.setattr("thetool.jobs.results.to_json_text", lambda result: result.text)
    jobs = [job(params=f'{{"text":"{text}"}}') for text in ("1", "{", "3")]
    jobs.append(job(60))
    with capture_logs() as lines:
        stranger.enqueue_many(jobs)
        until(lambda: statuses(jobs)[0] == statuses(jobs)[2] == "completed", "the others are written")
        stranger.cancel(jobs[3].id)
        assert finish(jobs) == ["completed", "failed", "completed", "cancelled"]
    assert not [line for line in lines if line["event"] == "the watcher stumbled"]


def test_a_claim_that_was_lost_stops_that_job_only(runner: Runner, stranger: Queue) -> None:
    jobs = [job(60), job()]
    stranger.enqueue_many(jobs)
    until(lambda: statuses(jobs) == ["running", "queued"], "the second is given back")
    rows(
        runner.queue.url,
        "update jobs set claim_token = %s, worker_id = null where id = %s",
        str(uuid4()),
        str(jobs[0].id),
    )
    assert wait_for(jobs[1].id, 30).status == "completed"
    assert look_at(jobs[0].id).status == "running"


def test_a_batch_is_handed_back_whole(runner: Runner, stranger: Queue) -> None:
    jobs = [job(60), job(60), job(60)]
    stranger.enqueue_many(jobs)
    until(lambda: runner.busy() >= 1, "the first runs")
    runner.hand_back()
    assert statuses(jobs) == ["queued"] * 3
    query = "select distinct attempts, lost from jobs where status = 'queued'"
    assert rows(runner.queue.url, query) == [(0, 0)]


def test_quick_jobs_of_children_come_together_too(runner: Runner, stranger: Queue, sizes: list[int]) -> None:
    wait_for(make("sample.child", text="echo"), 60)
    until(lambda: runner.groups["process"].at_rest(), "its slot sleeps")
    jobs = [job(kind="sample.child", runs="process", params='{"text":"echo"}') for _ in range(30)]
    jobs.insert(3, job(kind="sample.child", runs="process", params='{"text":"kill"}', max_attempts=1))
    stranger.enqueue_many(jobs)
    ended = finish(jobs)
    assert ended.count("completed") == 30
    assert ended[3] == "failed"
    assert max(sizes) > 1
    assert rows(runner.queue.url, "select distinct attempts from jobs") == [(1,)]


def test_batches_end_though_their_connection_breaks_again_and_again(runner: Runner, stranger: Queue) -> None:
    """A claim whose answer was lost is taken back when its lease runs out; nothing is done twice."""
    jobs = [job(0.02) for _ in range(5)]
    stranger.enqueue_many(jobs)
    deadline = time.monotonic() + 30
    while not {"completed"} >= set(statuses(jobs)):
        rows(
            runner.queue.url,
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'thetool queue' and pid <> pg_backend_pid()",
        )
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert {attempts for (attempts,) in rows(runner.queue.url, "select attempts from jobs")} <= {1, 2}


def test_what_could_not_be_written_early_is_not_forgotten_when_the_slot_is_done(
    runner: Runner, stranger: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres goes away while the watcher writes, and the slow job ends at that moment: nothing is done again."""
    complete, note = runner.queue.complete_all, tmp_path / "note"
    jobs = [job(params=f'{{"path":"{note}"}}'), job(60)]

    def away(endings: Any) -> Any:
        monkeypatch.setattr(runner.queue, "complete_all", complete)
        stranger.cancel(jobs[1].id)
        time.sleep(0.5)  # time for the slot to leave, if it may
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(runner.queue, "complete_all", away)
    stranger.enqueue_many(jobs)
    assert finish(jobs) == ["completed", "cancelled"]
    assert note.read_text() == f"{jobs[0].id} 1\n"
