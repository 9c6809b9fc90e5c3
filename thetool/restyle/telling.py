"""What a restyling says on its way: one line that only goes forward, the guide's stages, and what its result tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from thetool.jobs.context import JobContext

FIRST_PAINTING, SECOND_PAINTING, FINALIZING = 0.5, 0.8, 0.9


class Telling:
    """Progress and stages of one attempt, with what is noted on the way: seconds of each stage and of the device."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._began = perf_counter()
        self._reached = 0.0
        self.timings: dict[str, float] = {}
        self.gpu_seconds = 0.0
        self.notes: list[str] = []

    @contextmanager
    def stage(self, name: str, fraction: float, stage: str, message: str) -> Iterator[None]:
        """Say that a stage begins; `name` is what its seconds are called in the result."""
        self.say(fraction, stage, message)
        began = perf_counter()
        try:
            yield
        finally:
            self.timings[name] = round(self.timings.get(name, 0) + perf_counter() - began, 4)

    def check(self) -> None:
        """Raise when the job is to stop."""
        self._context.checkpoint()

    def say(self, fraction: float, stage: str, message: str) -> None:
        """Tell it; raises when the job is to stop."""
        self._reached = max(self._reached, fraction)
        self._context.progress(self._reached, stage, message)

    def painting(self, style: str, pictures: int, *, again: bool) -> Callable[[int, int, int], None]:
        """What tells of each step of these pictures, together; a second painting begins where the first left off."""
        low, high = (SECOND_PAINTING, FINALIZING) if again else (FIRST_PAINTING, SECOND_PAINTING)
        done = [0] * pictures

        def step(picture: int, number: int, steps: int) -> None:
            done[picture] = number
            fraction = sum(done) / (pictures * steps)
            words = f"Applying {style} style: step {sum(done)} of {pictures * steps}…"
            self.say(low + (high - low) * fraction, "transforming", words)

        return step

    @property
    def seconds(self) -> float:
        """Since the attempt began."""
        return round(perf_counter() - self._began, 3)
