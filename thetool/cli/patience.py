"""Waiting as the service asks, where it answers that it is asked too often or is full."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import click

from thetool.cli.problems import ServiceProblem, printable

R = TypeVar("R")

PATIENCE_SECONDS = 300.0
FIRST_SECONDS = 1.0
TELL_SECONDS = 30.0


class Patience:
    """Repeats what is refused with 429, or with another `Retry-After`, for up to five minutes each."""

    def __init__(self) -> None:
        """Nothing has been waited for yet."""
        self._told = -TELL_SECONDS

    def ask(self, request: Callable[[], R]) -> R:
        """What `request` gives, once the service takes it; it must be safe to repeat.

        Raises:
            ServiceProblem: any other; or this one still after five minutes, or if its wait would be longer than that.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        pause = FIRST_SECONDS
        while True:
            try:
                return request()
            except ServiceProblem as problem:
                if problem.status != 429 and problem.retry_after is None:
                    raise
                wait = problem.retry_after if problem.retry_after is not None else pause
                pause *= 2
                if time.monotonic() + wait > deadline:
                    raise
                self._tell(problem, wait)
            time.sleep(wait)

    def _tell(self, problem: ServiceProblem, wait: float) -> None:
        """At most one line in 30 seconds: a key's limit may be met at every file."""
        if time.monotonic() - self._told < TELL_SECONDS:
            return
        self._told = time.monotonic()
        click.echo(f"{printable(problem.title)}: waiting {wait:.0f} s, as the service asks, then going on.", err=True)
