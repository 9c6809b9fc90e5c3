"""What a runner does when it leaves, and what comes at the last moment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.jobs.making import OWNER, make, new_job, rows, until
from tests.jobs.sample_jobs import Params, Result
from thetool.config import Settings
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.claims import Claim
from thetool.jobs.context import Cancelled, Interrupted, JobContext, LostClaim, TimedOut
from thetool.jobs.registry import job
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit
from thetool.jobs.waiting import wait_for

STATE = "select status, attempts, lost, worker_id from jobs"
UNTOUCHED = [("queued", 0, 0, None)]


def test_a_submit_that_had_reserved_a_slot_leaves_no_claim_behind(runner: Runner) -> None:
    slot = until(runner.groups["thread"].reserve, "a slot is idle")
    assert runner.hand_back() == 0
    claim = runner.queue.enqueue_claimed(new_job(), runner.wish("cpu", "thread"))
    assert isinstance(claim, Claim)
    runner.close()
    slot.hand(claim)
    assert rows(runner.queue.url, STATE) == UNTOUCHED
    assert rows(runner.queue.url, "select count(*) from workers") == [(0,)]


def test_a_database_that_is_away_for_a_moment_does_not_keep_the_jobs(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("sample.sleep", seconds=60)
    until(runner.busy, "it runs")
    really, blips = runner.queue.hand_back, [1, 2, 3]

    def hand_back(worker_id: UUID) -> list[UUID]:
        if blips:
            raise DatabaseUnavailable(f"blip {blips.pop()}")
        return really(worker_id)

    monkeypatch.setattr(runner.queue, "hand_back", hand_back)
    with pytest.raises(DatabaseUnavailable):
        runner.hand_back()
    assert runner.hand_back(seconds=30) == 1
    assert rows(runner.queue.url, STATE) == UNTOUCHED


def test_that_it_drains_is_told_at_once(runner: Runner) -> None:
    assert "sample.noop" in runner.queue.offered_kinds()
    runner.stop_claiming()
    assert runner.queue.offered_kinds() == frozenset()


def test_a_runner_that_has_not_started_can_be_stopped(job_settings: Settings, here: None) -> None:
    runner = Runner(job_settings)
    assert runner.drain(1)
    assert runner.hand_back() == 0
    runner.close()


@job("sample.asks_at_its_end", max_attempts=1)
def asks_at_its_end(context: JobContext, params: Params) -> Result:
    """Its callback finds that the job is to stop."""

    def callback(cursor: Any) -> None:
        cursor.execute("update owners set name = 'never kept' where id = %s", (context.owner_id,))
        context.interrupt({"cancelled": Cancelled, "timed out": TimedOut, "lost": LostClaim}[params.text])
        context.checkpoint()

    context.on_finish(callback)
    return Result()


@pytest.mark.parametrize(("why", "status"), [("cancelled", "cancelled"), ("timed out", "failed")])
def test_a_callback_may_ask_whether_to_stop(runner: Runner, why: str, status: str) -> None:
    job_id = submit("sample.asks_at_its_end", Params(text=why), owner_id=OWNER).job_id
    assert wait_for(job_id, 30).status == status
    assert rows(runner.queue.url, "select count(*) from owners where name = 'never kept'") == [(0,)]
    assert wait_for(make("sample.noop"), 30).status == "completed"


def test_an_attempt_that_lost_its_job_hears_so_while_the_next_one_runs_beside_it(runner: Runner) -> None:
    first = make("sample.sleep", seconds=60)
    (running,) = until(runner._active.all, "it runs")
    taken = """update jobs set status = 'queued', attempts = 0, claim_token = null, worker_id = null where id = %s"""
    rows(runner.queue.url, taken, first)
    runner.wake()
    both: list[type[Interrupted] | None] = []
    until(lambda: running.context.interruption is LostClaim, "the old attempt hears of it")
    until(lambda: len(runner._active.all()) == 1, "only the new attempt runs")
    both = [attempt.context.interruption for attempt in runner._active.all()]
    assert both == [None]
