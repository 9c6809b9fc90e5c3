"""How many cores one run of a model uses."""

from __future__ import annotations

from thetool.config import Settings
from thetool.weights.sessions import threads_of_one_call


def test_jobs_that_run_at_once_share_the_cores() -> None:
    assert threads_of_one_call(Settings(WEB_CONCURRENCY=64)) == 1
    assert threads_of_one_call(Settings(WEB_CONCURRENCY=1, JOB_THREADS=1)) >= 1
