"""What a job says while it analyzes: which analysis is being made, how far it is, how long it still takes."""

from __future__ import annotations

from time import monotonic

from thetool.jobs.context import JobContext

ESTIMATE_AFTER_SECONDS = 3.0
"""Before that a guess is worth little, and most jobs are done."""


class Telling:
    """Progress, stage and an estimate, as the job tells them."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._began = monotonic()
        self._reached = 0.0
        self._words = ""

    def watch(self, fraction: float) -> None:
        """Say how far it is; raises to stop the work."""
        self._reached = max(self._reached, fraction)
        left = seconds_left(monotonic() - self._began, self._reached)
        self._context.progress(
            self._reached, message=None if left is None else f"{self._words}, {in_words(left)} left…"
        )

    def stage(self, words: str, name: str = "analyzing") -> None:
        """Say what is being done now: in words for people, and in one for programs."""
        self._words = words
        self._context.progress(self._reached, name, f"{words}…")


class Silence:
    """For a job that takes no time: telling anything would be one more statement."""

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def watch(self, fraction: float) -> None:
        """Raise when the work is to stop."""
        self._context.checkpoint()

    def stage(self, words: str, name: str = "analyzing") -> None:
        """Nothing."""


def seconds_left(elapsed: float, fraction: float) -> float | None:
    """How much longer it takes when it goes on like this; None while that cannot be told."""
    if elapsed < ESTIMATE_AFTER_SECONDS or fraction < 0.01:
        return None
    return elapsed / fraction * (1 - fraction)


def in_words(seconds: float) -> str:
    """A time in words for people, no more exact than an estimate is."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds / 10) * 10} s"
    return f"about {round(seconds / 60)} min"
