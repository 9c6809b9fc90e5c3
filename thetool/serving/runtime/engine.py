"""Runs predictions on a few threads of its own: together where they may, never longer than they may."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from queue import SimpleQueue
from typing import Any

import structlog

from thetool.serving.runtime.checking import Feeds, rows_of
from thetool.serving.runtime.direct import DirectRuns
from thetool.serving.runtime.lanes import Batching, Lane, Run, Waiting
from thetool.serving.runtime.problems import PredictionFailed, PredictionsBusy, PredictionTimedOut
from thetool.serving.runtime.sessions import Session, Stopped, run_options

GRACE_SECONDS = 2.0
"""So long after it was told to stop a run may go on before its thread is given up."""
MOST_LOST = 3
"""Past so many threads that were given up the process should be replaced."""

RUNS_BETWEEN = 50
"""So many runs, and what the largest of them needed is given back."""
QUICK_MS = 2.0
NOT_QUICK_MS = 100.0
"""Inputs of quick shapes that took so long are run on these threads again; less may be the interpreter's lock."""
MOST_SHAPES = 256

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Ran:
    """Outputs of one request, how long the run took that it was part of, and how many requests that held."""

    outputs: list[Any]
    milliseconds: float
    together: int


class Engine:
    """The threads that run models in this process.

    A request's thread waits here and answers at its deadline whatever the model does: the run is told to stop then, its
    session is retired, and a thread whose run does not stop is given up for a new one. One model holds at most half of
    the threads.

    Inputs of shapes that were quick before are run in the request's own thread, where the model's work depends on
    shapes alone: to hand a run over costs ten times what a tiny one takes. They are stopped at their deadline, too.

    Args:
        threads: how many.
        retire: called with a session whose run did not end in time.
        worn_out: called when so many threads were given up that the process should be replaced.
    """

    def __init__(
        self,
        threads: int,
        *,
        retire: Callable[[Session], None] = lambda session: None,
        worn_out: Callable[[], None] = lambda: None,
    ) -> None:
        self.lost = 0
        self._threads = threads
        self._retire = retire
        self._worn_out = worn_out
        self._lock = threading.Lock()
        self._ready: SimpleQueue[tuple[Session, Lane] | None] = SimpleQueue()
        self._started = False
        self._runs = count(1)
        self._given_up: set[int] = set()
        self._direct = DirectRuns()

    def run(self, session: Session, feeds: Feeds, *, timeout: float, batching: Batching | None = None) -> Ran:
        """The model's outputs for these inputs, which must have been checked.

        Raises:
            PredictionFailed: the model stopped with an error.
            PredictionTimedOut: it ran too long.
            PredictionsBusy: it did not begin in time.
        """
        batching = batching or Batching()
        if session.quick and not batching.max_delay and (shapes := shapes_of(feeds)) in session.quick:
            return self._run_here(session, feeds, shapes, timeout)
        one = Waiting(feeds, rows_of(feeds), time.monotonic() + timeout)
        self._start()
        lane = self._lane(session, batching)
        lane.add(one)
        self._schedule(session, lane)
        if batching.max_delay and not one.done.wait(min(batching.max_delay, timeout)):
            self._schedule(session, lane)  # it has waited for others long enough
        if not one.done.wait(max(0.0, one.deadline - time.monotonic())):
            self._give_up_on(one, session, timeout)
        try:
            if one.error is not None:
                raise one.error
            return Ran(one.outputs or [], one.milliseconds, one.together)
        finally:
            del one  # its error knows this frame: together they would keep the session in memory

    def close(self) -> None:
        """Let the threads end when they have nothing to do."""
        for _ in range(self._threads):
            self._ready.put(None)

    def _start(self) -> None:
        if self._started:
            return
        with self._lock:
            if not self._started:
                self._started = True
                for _ in range(self._threads):
                    self._add_thread()

    def _add_thread(self) -> None:
        threading.Thread(target=self._work, name="predict", daemon=True).start()

    def _lane(self, session: Session, batching: Batching) -> Lane:
        lane = session.lanes.get(batching)
        if lane is not None:
            return lane
        made = Lane(batching, row_by_row=session.row_by_row, most_runs=max(1, self._threads // 2))
        return session.lanes.setdefault(batching, made)

    def _schedule(self, session: Session, lane: Lane) -> None:
        with self._lock:
            if lane.runs >= lane.most_runs or not lane.due:
                return  # whoever ends one of its runs looks again, or who waits for others
            lane.runs += 1
        self._ready.put((session, lane))

    def _work(self) -> None:
        while (ready := self._ready.get()) is not None:
            session, lane = ready
            taken: list[Waiting] = []
            try:
                taken = lane.take(shares=bool(lane.batching.max_delay) or session.gains)
                if taken:
                    self._schedule(session, lane)
                    self._run(session, taken)
            except Exception:
                log.exception("a run of a model broke down")
            if not self._goes_on(session, lane):
                return
            del ready, session, lane, taken  # a thread at rest keeps no model in memory

    def _goes_on(self, session: Session, lane: Lane) -> bool:
        """See to who has come in the meantime; False when this thread was given up, and has one in its place."""
        me = threading.get_ident()
        with self._lock:
            lane.runs -= 1
            again = lane.runs < lane.most_runs and lane.due
            lane.runs += again
            given_up = me in self._given_up
            if given_up:
                self._given_up.discard(me)
                self.lost -= 1
        if again:
            self._ready.put((session, lane))
        return not given_up

    def _run(self, session: Session, taken: list[Waiting]) -> None:
        try:
            if len(taken) == 1 or not self._run_together(session, taken):
                for one in taken:
                    self._run_alone(session, one)
        finally:
            for one in taken:  # nobody waits for a thread that broke down
                if not one.done.is_set():
                    one.error = one.error or PredictionFailed("The run broke down.")
                    one.done.set()

    def _run_together(self, session: Session, taken: list[Waiting]) -> bool:
        """Run all in one; False when that failed, and each is to be tried alone: one of them may be to blame."""
        import numpy as np

        run = Run(self._options())
        for one in taken:
            one.run = run
        began = time.perf_counter()
        try:
            feeds = {name: np.concatenate([one.feeds[name] for one in taken]) for name in taken[0].feeds}
            outputs = session.run(feeds, run.options)
        except (PredictionFailed, Stopped, MemoryError):
            return False
        milliseconds = (time.perf_counter() - began) * 1000
        rows = sum(one.rows or 0 for one in taken)
        session.note(milliseconds, rows)
        if any(getattr(output, "shape", (None,))[:1] != (rows,) for output in outputs):
            return False
        start = 0
        for one in taken:
            stop = start + (one.rows or 0)
            one.outputs, one.milliseconds, one.together = [out[start:stop] for out in outputs], milliseconds, len(taken)
            one.done.set()
            start = stop
        return True

    def _run_alone(self, session: Session, one: Waiting) -> None:
        if one.abandoned:
            return
        one.run = run = Run(self._options())
        if one.abandoned:  # who gave up before that saw no run to stop
            return
        began = time.perf_counter()
        try:
            one.outputs = session.run(one.feeds, run.options)
        except PredictionFailed as error:
            one.error = error.with_traceback(None)  # that would keep the session in memory as long as the answer
        except Stopped:
            one.error = PredictionTimedOut()
        one.milliseconds = (time.perf_counter() - began) * 1000
        session.note(one.milliseconds, one.rows or 1)
        if one.milliseconds < QUICK_MS and session.bounded and len(session.quick) < MOST_SHAPES:
            session.quick.add(shapes_of(one.feeds))
        one.done.set()

    def _run_here(self, session: Session, feeds: Feeds, shapes: tuple[Any, ...], timeout: float) -> Ran:
        began = time.perf_counter()
        try:
            outputs = self._direct.run(session, feeds, self._options(), timeout=timeout)
        except Stopped:
            self._retire(session)
            raise _timed_out(timeout) from None
        milliseconds = (time.perf_counter() - began) * 1000
        if milliseconds > NOT_QUICK_MS:
            session.quick.discard(shapes)
        return Ran(outputs, milliseconds, 1)

    def _options(self) -> Any:
        return run_options(gives_back=next(self._runs) % RUNS_BETWEEN == 0)

    def _give_up_on(self, one: Waiting, session: Session, timeout: float) -> None:
        """Answer a request whose time is over, and stop its run.

        Raises:
            PredictionTimedOut, PredictionsBusy: always, unless it was done that very moment.
        """
        one.abandoned = True
        if one.done.is_set():
            return
        if one.run is None:
            raise PredictionsBusy(f"It did not begin within {timeout:g} seconds.", headers={"Retry-After": "5"})
        one.run.options.terminate = True
        watch = threading.Timer(GRACE_SECONDS, self._replace_if_stuck, (one, one.run.thread))
        watch.daemon = True
        watch.start()
        if (
            ran := time.monotonic() - one.run.began
        ) < timeout / 2:  # others took its time, and nothing is wrong with it
            waited = f"It began only {ran:.1f} seconds before its {timeout:g} seconds were over."
            raise PredictionsBusy(waited, headers={"Retry-After": "5"})
        self._retire(session)
        raise _timed_out(timeout)

    def _replace_if_stuck(self, one: Waiting, thread: int) -> None:
        """Put a new thread in the place of one whose run does not stop."""
        with self._lock:
            if one.done.is_set() or thread in self._given_up:
                return
            self._given_up.add(thread)
            self.lost += 1
            worn_out = self.lost >= MOST_LOST
        log.warning("the thread of a prediction did not stop, another takes its place", lost=self.lost)
        self._add_thread()
        if worn_out:
            self._worn_out()


def shapes_of(feeds: Feeds) -> tuple[Any, ...]:
    """The shapes of all inputs."""
    return tuple(array.shape for _, array in sorted(feeds.items()))


def _timed_out(timeout: float) -> PredictionTimedOut:
    return PredictionTimedOut(f"It ran longer than {timeout:g} seconds (PREDICT_TIMEOUT_SECONDS), and was stopped.")
