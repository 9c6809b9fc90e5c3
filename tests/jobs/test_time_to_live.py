"""How long a job and its result are kept after its end, whatever that is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.jobs.making import OWNER, new_job, rows, wish
from tests.jobs.sample_jobs import Params, Result
from thetool.jobs.claims import Claim
from thetool.jobs.context import JobContext
from thetool.jobs.failure import Failure
from thetool.jobs.queue import Queue
from thetool.jobs.registry import job
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit
from thetool.jobs.waiting import wait_for

KEPT = "select extract(epoch from expires_at - finished_at)::float8 from jobs"


@job("sample.brief", expires_in=60)
def brief(context: JobContext, params: Params) -> Result:
    """Its result is kept for a minute."""
    return Result()


def _lose(queue: Queue, claim: Claim) -> None:
    rows(queue.url, "update jobs set lease_expires_at = now(), attempts = max_attempts")
    queue.rescue()


def _hand_back(queue: Queue, claim: Claim) -> None:
    queue.cancel(claim.id)
    rows(queue.url, "update jobs set worker_id = %s", str(OWNER))
    queue.hand_back(OWNER)


def _stop(queue: Queue, claim: Claim) -> None:
    queue.cancel(claim.id)
    queue.finish_cancelled(claim)


ENDS: dict[str, Callable[[Queue, Claim], object]] = {
    "completed": lambda queue, claim: queue.complete(claim, "{}"),
    "failed": lambda queue, claim: queue.fail(claim, Failure("job_failed", "")),
    "cancelled while it ran": _stop,
    "lost": _lose,
    "cancelled and handed back": _hand_back,
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(("keep", "seconds"), [(None, 3600), (90.0, 90)])
def test_a_job_is_kept_as_long_as_it_says(database: str, end: str, keep: float | None, seconds: float) -> None:
    queue = Queue(database, keep=3600)
    queue.enqueue(new_job(keep=keep))
    (claim,) = queue.claim(wish())
    ENDS[end](queue, claim)
    queue.close()
    assert rows(database, KEPT) == [(seconds,)]


def test_a_queued_job_that_is_cancelled_too(queue: Queue) -> None:
    one = new_job(keep=90)
    queue.enqueue(one)
    queue.cancel(one.id)
    assert rows(queue.url, KEPT) == [(90,)]


@pytest.mark.parametrize(("asked", "seconds"), [(None, 60), (5, 5)])
def test_a_kind_says_it_and_a_submit_outranks_it(runner: Runner, asked: float | None, seconds: float) -> None:
    wait_for(submit("sample.brief", Params(), owner_id=OWNER, expires_in=asked).job_id, 30)
    assert rows(runner.queue.url, KEPT) == [(seconds,)]


@pytest.mark.parametrize("asked", [0, -1, float("nan"), 400 * 86_400])
def test_a_time_that_makes_no_sense_is_refused(here: None, asked: float) -> None:
    with pytest.raises(ValueError, match="kept for more than 0"):
        submit("sample.brief", Params(), owner_id=OWNER, expires_in=asked)
    with pytest.raises(ValueError, match="kept for more than 0"):
        job("sample.briefer", expires_in=asked)(brief)
