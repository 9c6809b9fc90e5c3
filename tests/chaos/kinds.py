"""Kinds of job for the storm. What they do to the ledger is done in the transaction that completes them."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from pydantic import BaseModel

from thetool.jobs.context import JobContext
from thetool.jobs.registry import TransientError, job

MANY_ATTEMPTS = 50

if os.environ.get("FAKETIME_DONT_FAKE_MONOTONIC"):
    # Under Debian 12's libfaketime each clock_nanosleep of the true monotonic clock fails with EINVAL; waits do not.
    time.sleep = lambda seconds: threading.Event().wait(seconds) and None  # type: ignore[assignment]


class Work(BaseModel):
    """How long it takes, and at which attempt it succeeds."""

    seconds: float = 0
    succeeds_at: int = 1


class Done(BaseModel):
    """Who did it."""

    pid: int


def enter(cursor: Any, context: JobContext, result: Done) -> None:
    """The side effect: one line in the ledger, keyed by the claim's token."""
    cursor.execute(
        "insert into ledger (token, job_id, attempt) values (%s, %s, %s)",
        (str(context.claim_token), str(context.job_id), context.attempt),
    )


@job("chaos.plain", max_attempts=MANY_ATTEMPTS)
def plain(context: JobContext, params: Work) -> Done:
    """Nothing at all, not even a line in the ledger: many of these are claimed and finished by one statement."""
    return Done(pid=os.getpid())


@job("chaos.noted", max_attempts=MANY_ATTEMPTS, on_finish=enter)
def noted(context: JobContext, params: Work) -> Done:
    """A line in the ledger."""
    return Done(pid=os.getpid())


@job("chaos.slow", max_attempts=MANY_ATTEMPTS, on_finish=enter)
def slow(context: JobContext, params: Work) -> Done:
    """Takes its time, and asks whether to stop."""
    end = time.monotonic() + params.seconds
    while time.monotonic() < end:
        context.progress(1 - (end - time.monotonic()) / params.seconds)
        time.sleep(0.02)
    return Done(pid=os.getpid())


@job("chaos.deaf", max_attempts=MANY_ATTEMPTS, on_finish=enter)
def deaf(context: JobContext, params: Work) -> Done:
    """Takes its time, and does not ask: who lost the job works to the end of it in vain."""
    time.sleep(params.seconds)
    return Done(pid=os.getpid())


@job("chaos.flaky", max_attempts=MANY_ATTEMPTS, on_finish=enter)
def flaky(context: JobContext, params: Work) -> Done:
    """Fails first."""
    if context.attempt < params.succeeds_at:
        raise TransientError("not yet")
    return Done(pid=os.getpid())


@job("chaos.wrong", max_attempts=MANY_ATTEMPTS, on_finish=enter)
def wrong(context: JobContext, params: Work) -> Done:
    """Fails for good."""
    raise ValueError("never")


@job("chaos.child", runs="process", max_attempts=MANY_ATTEMPTS, on_finish=enter)
def child(context: JobContext, params: Work) -> Done:
    """Takes its time in a child process."""
    time.sleep(params.seconds)
    return Done(pid=os.getpid())


CLAN = ("chaos.noted", "chaos.flaky", "chaos.plain")


@job("chaos.clan", max_attempts=MANY_ATTEMPTS, on_finish=enter)
def clan(context: JobContext, params: Work) -> Done:
    """Has children, waits for them without a thread, and finds each of them done."""
    if not context.children:
        for kind in CLAN:
            context.spawn(kind, Work(succeeds_at=2))
    context.wait_for_children()
    found = [(child.kind, child.status) for child in context.children]
    assert found == [(kind, "completed") for kind in CLAN], found
    return Done(pid=os.getpid())


@job("chaos.dropped", max_attempts=MANY_ATTEMPTS, on_finish=enter)
def dropped(context: JobContext, params: Work) -> Done:
    """Goes on until somebody cancels it."""
    while True:
        context.checkpoint()
        time.sleep(0.02)
