"""A job ends as it should, whatever goes wrong around its handler."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.jobs.making import OWNER, make
from tests.jobs.sample_jobs import Params, Result
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.context import JobContext
from thetool.jobs.registry import job
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit
from thetool.jobs.waiting import wait_for


@job("sample.ends_with_more", max_attempts=1)
def ends_with_more(context: JobContext, params: Params) -> Result:
    """Has something that belongs into the transaction of its end."""
    context.on_finish(lambda cursor: None)
    return Result(text="done in time")


@job("sample.odd_progress", max_attempts=1)
def odd_progress(context: JobContext, params: Params) -> Result:
    """Tells of a progress that is no number."""
    context.progress(float("nan"), "counting")
    return Result(text="done")


def test_an_end_that_waits_for_postgres_is_no_timeout(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time was up meanwhile, and the watcher is quicker than whoever waits."""
    really, back = runner.queue.complete, time.monotonic() + 1.5

    def complete(*arguments: Any, **more: Any) -> bool:
        if time.monotonic() < back:
            raise DatabaseUnavailable("away")
        return really(*arguments, **more)

    monkeypatch.setattr(runner.queue, "complete", complete)
    ended = wait_for(submit("sample.ends_with_more", Params(), owner_id=OWNER, timeout=0.3).job_id, 30)
    assert (ended.status, ended.error) == ("completed", None)
    assert not runner.wants_replacement


@job("sample.ends_slowly", max_attempts=2)
def ends_slowly(context: JobContext, params: Params) -> Result:
    """What belongs to its end takes longer than a statement may."""

    def wait(cursor: Any) -> None:
        cursor.execute("set local statement_timeout = 20")
        cursor.execute("select pg_sleep(5)")

    context.on_finish(wait)
    return Result()


def test_an_end_that_never_fits_into_a_statement_is_not_tried_for_ever(runner: Runner, quick_retries: None) -> None:
    ended = wait_for(submit("sample.ends_slowly", Params(), owner_id=OWNER).job_id, 30)
    assert ended.error
    assert (ended.status, ended.error["code"], ended.attempts) == ("failed", "database_unavailable", 2)


def test_what_goes_wrong_outside_of_a_handler_fails_the_job(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an end it would be given back and run again, for ever."""

    def run(*arguments: Any) -> None:
        raise RuntimeError("our own mistake")

    with monkeypatch.context() as mistake:
        mistake.setattr(runner._nursery, "run", run)
        ended = wait_for(make("sample.child", text="echo"), 30)
    assert ended.error
    assert (ended.status, ended.error["code"], ended.attempts) == ("failed", "job_failed", 1)
    assert wait_for(make("sample.child", text="echo"), 30).status == "completed"


def test_a_progress_that_is_no_number_fails_nothing(runner: Runner) -> None:
    ended = wait_for(submit("sample.odd_progress", Params(), owner_id=OWNER).job_id, 30)
    assert (ended.status, ended.stage) == ("completed", "counting")
