"""The threads that run models: rows that share a run, runs that do not end, threads that do not come back."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.serving import graphs
from thetool.serving.runtime import direct
from thetool.serving.runtime import engine as engines
from thetool.serving.runtime.engine import Engine
from thetool.serving.runtime.lanes import Batching
from thetool.serving.runtime.problems import PredictionFailed, PredictionsBusy, PredictionTimedOut
from thetool.serving.runtime.sessions import Session, open_session

RUN_BYTES = 2**28


def opened(data: bytes, *, row_by_row: bool = True) -> Session:
    return open_session(data, run_bytes=RUN_BYTES, row_by_row=row_by_row)


def row(*numbers: float) -> dict[str, Any]:
    return {"x": np.array([numbers], np.float32)}


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(4)
    yield engine
    engine.close()


class Held:
    """A session whose runs wait until they are let go; it notes how many rows each had."""

    def __init__(self, session: Session) -> None:
        self.rows: list[int] = []
        self.go = threading.Event()
        self._run = session.run
        session.run = self.run  # type: ignore[method-assign]

    def run(self, feeds: Any, options: Any = None) -> Any:
        self.rows.append(len(feeds["x"]))
        self.go.wait(10)
        return self._run(feeds, options)


def all_at_once(engine: Engine, session: Session, asked: list[Any], batching: Batching) -> list[Any]:
    given: list[Any] = [None] * len(asked)

    def ask(number: int) -> None:
        try:
            given[number] = engine.run(session, asked[number], timeout=10, batching=batching)
        except PredictionFailed as error:
            given[number] = error

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


def test_those_that_came_while_threads_were_busy_go_together(engine: Engine) -> None:
    session = opened(graphs.doubling())
    held = Held(session)
    release = threading.Timer(0.3, held.go.set)
    release.start()
    given = all_at_once(engine, session, [row(number, 0, 1) for number in range(12)], Batching(max_size=8))
    assert [one.outputs[0].tolist() for one in given] == [[[2.0 * number, 0, 2]] for number in range(12)]
    assert sum(held.rows) == 12
    assert len(held.rows) < 12
    assert max(held.rows) <= 8


def test_a_delay_gathers_them_up_to_the_most_rows(engine: Engine) -> None:
    session = opened(graphs.doubling())
    held = Held(session)
    held.go.set()
    given = all_at_once(engine, session, [row(1, 2, 3)] * 6, Batching(max_size=3, max_delay=5))
    assert all(one.together == 3 for one in given), "a full run does not wait for its delay to end"
    assert held.rows == [3, 3]


def test_slow_rows_go_alone_unless_a_delay_is_wanted(engine: Engine) -> None:
    session = opened(graphs.doubling())
    held = Held(session)
    session.note(50, 1)
    threading.Timer(0.3, held.go.set).start()
    all_at_once(engine, session, [row(1, 2, 3)] * 6, Batching())
    assert held.rows == [1] * 6
    session.row_ms = 50
    given = all_at_once(engine, session, [row(1, 2, 3)] * 6, Batching(max_size=6, max_delay=5))
    assert [one.together for one in given] == [6] * 6


def test_requests_of_several_rows_get_theirs(engine: Engine) -> None:
    session = opened(graphs.doubling())
    asked = [{"x": np.full((size, 3), size, np.float32)} for size in (1, 2, 3, 70)]
    given = all_at_once(engine, session, asked, Batching(max_size=64, max_delay=0.05))
    assert [one.outputs[0].tolist() for one in given] == [[[2.0 * size] * 3] * size for size in (1, 2, 3, 70)]
    assert given[3].together == 1, "more rows than a run may have are a run of their own"


@pytest.mark.parametrize(("allowed", "row_by_row"), [(False, True), (True, False)])
def test_nothing_is_shared_that_must_not_be(engine: Engine, allowed: bool, row_by_row: bool) -> None:
    session = opened(graphs.doubling(), row_by_row=row_by_row)
    held = Held(session)
    held.go.set()
    all_at_once(engine, session, [row(1, 2, 3)] * 4, Batching(enabled=allowed, max_delay=0.1))
    assert held.rows == [1] * 4


def test_one_bad_input_fails_alone(engine: Engine) -> None:
    session = opened(graphs.picking())
    asked = [{"x": np.array([index])} for index in (0, 1, 9, 2)]
    given = all_at_once(engine, session, asked, Batching(max_size=4, max_delay=5))
    assert isinstance(given[2], PredictionFailed)
    assert [given[number].outputs[0].tolist() for number in (0, 1, 3)] == [[10], [20], [30]]


def test_a_run_that_does_not_end_is_answered_and_its_session_retired() -> None:
    retired: list[Session] = []
    engine = Engine(2, retire=retired.append)
    session = opened(graphs.endless(), row_by_row=False)
    began = time.monotonic()
    with pytest.raises(PredictionTimedOut, match=r"0\.2 seconds"):
        engine.run(session, {"x": np.array([9], np.float32)}, timeout=0.2)
    assert time.monotonic() - began < 5
    assert retired == [session]
    assert engine.run(session, {"x": np.array([1], np.float32)}, timeout=5).outputs[0].tolist() == [1]
    engine.close()


def test_who_does_not_get_a_thread_in_time_is_told_to_come_back() -> None:
    engine = Engine(2)
    session = opened(graphs.doubling())
    held = Held(session)
    alone = Batching(enabled=False)
    first = threading.Thread(target=lambda: engine.run(session, row(1, 2, 3), timeout=10, batching=alone))
    first.start()
    while not held.rows:
        time.sleep(0.005)
    with pytest.raises(PredictionsBusy, match="did not begin"):
        engine.run(session, row(1, 2, 3), timeout=0.1, batching=alone)
    held.go.set()
    first.join()
    engine.close()


def test_threads_that_do_not_come_back_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation that does not look whether it is to stop."""
    monkeypatch.setattr(engines, "GRACE_SECONDS", 0.05)
    worn_out = threading.Event()
    engine = Engine(2, worn_out=worn_out.set)
    for _ in range(engines.MOST_LOST):
        stuck = opened(graphs.doubling())
        held = Held(stuck)
        with pytest.raises(PredictionTimedOut):
            engine.run(stuck, row(1, 2, 3), timeout=0.05)
        threading.Timer(1.0, held.go.set).start()
    assert worn_out.wait(5), "the process asks to be replaced"
    assert engine.run(opened(graphs.doubling()), row(1, 2, 3), timeout=5).outputs[0].tolist() == [[2, 4, 6]]
    deadline = time.monotonic() + 10
    while engine.lost and time.monotonic() < deadline:
        time.sleep(0.02)
    assert engine.lost == 0, "those that come back after all end"
    engine.close()


def test_quick_shapes_need_no_thread_where_work_follows_shapes(engine: Engine) -> None:
    session = open_session(graphs.doubling(), run_bytes=RUN_BYTES, bounded=True)
    threads: list[int] = []
    run = session.run
    session.run = lambda *given: threads.append(threading.get_ident()) or run(*given)  # type: ignore[method-assign, func-returns-value]
    for _ in range(20):
        engine.run(session, row(1, 2, 3), timeout=5)
    assert threads[0] != threading.get_ident()
    assert threads[-1] == threading.get_ident()
    engine.run(session, {"x": np.zeros((2, 3), np.float32)}, timeout=5)
    assert threads[-1] != threading.get_ident(), "of that shape nothing is known yet"


def test_a_quick_shape_that_takes_too_long_is_stopped_and_quick_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose work was taken to follow shapes, and does not."""
    monkeypatch.setattr(direct, "LOOK_SECONDS", 0.05)
    retired: list[Session] = []
    engine = Engine(2, retire=retired.append)
    session = open_session(graphs.endless(), run_bytes=RUN_BYTES, bounded=True)
    while not session.quick:
        engine.run(session, {"x": np.array([1], np.float32)}, timeout=5)
    with pytest.raises(PredictionTimedOut, match=r"0\.2 seconds"):
        engine.run(session, {"x": np.array([9], np.float32)}, timeout=0.2)
    assert retired == [session]
    held = Held(session)
    threading.Timer(engines.NOT_QUICK_MS / 500, held.go.set).start()
    engine.run(session, {"x": np.array([1], np.float32)}, timeout=5)
    assert not session.quick, "so long is not quick"
    engine.close()


def test_whoever_waited_for_others_does_not_cost_the_model_its_session() -> None:
    retired: list[Session] = []
    engine = Engine(2, retire=retired.append)
    session = opened(graphs.doubling())
    held = Held(session)
    alone = Batching(enabled=False)
    first = threading.Thread(target=lambda: engine.run(session, row(1, 2, 3), timeout=10, batching=alone))
    first.start()
    while not held.rows:
        time.sleep(0.005)
    slow = Held(session)  # from now on
    threading.Timer(0.6, held.go.set).start()
    with pytest.raises(PredictionsBusy, match="began only"):
        engine.run(session, row(1, 2, 3), timeout=1.0, batching=alone)
    assert retired == []
    slow.go.set()
    first.join()
    engine.close()


def test_models_that_wait_for_company_hold_no_thread(engine: Engine) -> None:
    waiting = Batching(max_delay=3)
    alone = [opened(graphs.doubling()) for _ in range(8)]
    threads = [
        threading.Thread(target=lambda one=one: engine.run(one, row(1, 2, 3), timeout=10, batching=waiting))  # type: ignore[misc]
        for one in alone
    ]
    for thread in threads:
        thread.start()
    assert engine.run(opened(graphs.doubling()), row(1, 2, 3), timeout=1).outputs[0].tolist() == [[2, 4, 6]]
    assert any(thread.is_alive() for thread in threads), "they wait all the same"
    for thread in threads:
        thread.join()


def test_a_failed_prediction_keeps_no_session_in_memory(engine: Engine) -> None:
    session = opened(graphs.picking())
    gone = weakref.ref(session)
    gc.disable()
    try:
        failed = ""
        try:
            engine.run(session, {"x": np.array([9])}, timeout=5)
        except PredictionFailed as error:  # not by pytest.raises, which keeps it
            failed = str(error)
        assert "Gather" in failed
        del session
        deadline = time.monotonic() + 5
        while gone() is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert gone() is None
    finally:
        gc.enable()
