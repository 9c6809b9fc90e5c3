"""Running rows through a model: many at a time, and where a run fails fewer, down to the row that is to blame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from thetool.batch.problems import UnfitModel
from thetool.serving.runtime.checking import Feeds
from thetool.serving.runtime.engine import GRACE_SECONDS, RUNS_BETWEEN
from thetool.serving.runtime.problems import PredictionFailed
from thetool.serving.runtime.sessions import Session, Stopped, run_options

FIRST_ROWS = 256
SHORT_MS, LONG_MS = 50.0, 500.0
"""Runs that are shorter take more rows the next time, and longer ones fewer: a run can only be stopped as a whole."""
SLOWER = 8
LOOK_SECONDS = 0.05


@dataclass
class Ran:
    """What came out of some rows: each output of the rows `done`, in order; of the others, why there is nothing."""

    parts: list[list[Any]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)


class Asking:
    """A model, and how many of its rows go into a run just now. Runs are in the caller's thread; close it at the end.

    Args:
        session: the loaded model.
        seconds: how long a run may take.
        on_stuck: called from another thread when a run goes on although it was told to stop.
    """

    def __init__(self, session: Session, *, seconds: float, on_stuck: Callable[[], None]) -> None:
        self.milliseconds = 0.0
        self._session = session
        self._seconds = seconds
        self._on_stuck = on_stuck
        takes_many = all(spec.shape is None or spec.shape[0] is None for spec in session.inputs)
        self._alone = not (session.row_by_row and takes_many)
        self._rows = 1 if self._alone else FIRST_ROWS
        self._runs = 0
        self._now: tuple[Any, float] | None = None  # what runs, and until when it may
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def ask(self, feeds: Feeds, rows: int) -> Ran:
        """The outputs of these rows.

        Raises:
            UnfitModel: an output has no row for each that went in.
        """
        ran = Ran()
        start = 0
        while start < rows:
            stop = min(rows, start + self._rows)
            self._run(feeds, start, stop, ran)
            start = stop
        return ran

    def close(self) -> None:
        """Watch no longer."""
        self._closed.set()

    def _watch(self) -> None:
        """Stop runs whose time is over."""
        while not self._closed.wait(LOOK_SECONDS):
            now = self._now  # read once: meanwhile it may be another run, or none
            late = 0.0 if now is None else time.monotonic() - now[1]
            if now is not None and late > 0:
                now[0].terminate = True
            if late > GRACE_SECONDS:
                self._on_stuck()

    def _outputs(self, part: Feeds) -> list[Any]:
        self._runs += 1
        options = run_options(gives_back=self._runs % RUNS_BETWEEN == 0)
        self._now = options, time.monotonic() + self._seconds
        try:
            return self._session.run(part, options)
        finally:
            self._now = None

    def _run(self, feeds: Feeds, start: int, stop: int, ran: Ran) -> None:
        """Run rows together; when that fails each half, so that one that is to blame fails alone."""
        part = {name: array[start:stop] for name, array in feeds.items()}
        began = time.perf_counter()
        try:
            outputs = self._outputs(part)
        except (PredictionFailed, Stopped) as problem:
            words = str(problem)
            if isinstance(problem, Stopped):
                words = f"the model took longer than {self._seconds:g} seconds"
                self._rows = max(1, (stop - start) // SLOWER)
            if stop - start == 1:
                ran.failed[start] = words
                return
            middle = (start + stop) // 2
            self._run(feeds, start, middle, ran)
            self._run(feeds, middle, stop, ran)
            return
        milliseconds = (time.perf_counter() - began) * 1000
        self.milliseconds += milliseconds
        self._adapt(milliseconds, stop - start)
        ran.parts.append([self._rows_of(output, at, stop - start) for at, output in enumerate(outputs)])
        ran.done += range(start, stop)

    def _adapt(self, milliseconds: float, rows: int) -> None:
        if self._alone:
            return
        if milliseconds < SHORT_MS and rows == self._rows:
            self._rows *= 2
        elif milliseconds > LONG_MS:
            self._rows = max(1, rows // 2)

    def _rows_of(self, output: Any, at: int, rows: int) -> Any:
        if isinstance(output, list):
            right = len(output) == rows
        elif self._alone and (not output.ndim or output.shape[0] != 1):
            return output[None]
        else:
            right = output.ndim > 0 and output.shape[0] == rows
        if not right:
            name = self._session.output_names[at]
            raise UnfitModel(f"Its output {name!r} has no row for each instance; ask it with `predict` instead.")
        return output
