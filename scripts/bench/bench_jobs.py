"""Job kinds for scripts/bench/health.py and streams.py, and the application that knows them (`bench_jobs:app`)."""

from __future__ import annotations

import time

from pydantic import BaseModel

from thetool.jobs.context import JobContext
from thetool.jobs.registry import job


class Busy(BaseModel):
    """How long to keep a core busy."""

    seconds: float


class Done(BaseModel):
    """What came of it."""

    rounds: int


@job("bench.thread", runs="thread", timeout=600)
def pure_python(context: JobContext, params: Busy) -> Done:
    """Pure Python in a thread of the worker: it lets go of the interpreter's lock only when asked to switch."""
    rounds, stop = 0, time.monotonic() + params.seconds
    while time.monotonic() < stop:
        sum(number * number for number in range(10_000))
        rounds += 1
        context.checkpoint()
    return Done(rounds=rounds)


@job("bench.process", runs="process", timeout=600)
def holding_the_lock(context: JobContext, params: Busy) -> Done:
    """One long C call after another, each holding the interpreter's lock; in a child it is not the worker's lock."""
    rounds, stop = 0, time.monotonic() + params.seconds
    while time.monotonic() < stop:
        sorted(range(1_000_000, 0, -1))
        rounds += 1
    return Done(rounds=rounds)


@job("bench.telling", runs="thread", timeout=600)
def pure_python_that_tells(context: JobContext, params: Busy) -> Done:
    """The same in a thread of the worker, telling how far it is at each step."""
    rounds, began = 0, time.monotonic()
    while (passed := time.monotonic() - began) < params.seconds:
        sum(number * number for number in range(10_000))
        rounds += 1
        context.progress(passed / params.seconds, "counting", f"Round {rounds}")
    return Done(rounds=rounds)


def __getattr__(name: str) -> object:
    if name == "app":
        from thetool.app import create_app

        return create_app()
    raise AttributeError(name)
