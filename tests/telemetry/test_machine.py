from __future__ import annotations

import threading

from thetool.telemetry import machine
from thetool.telemetry.machine import Share


def test_the_share_is_that_since_the_last_question() -> None:
    times = iter([(30.0, 100.0), (35.0, 110.0), (35.0, 110.1), (36.0, 120.0)])
    share = Share(lambda: next(times))
    assert share.percent() == 30, "at first, of all the time"
    assert share.percent() == 50
    assert share.percent() == 50, "a moment later nothing new can be said"
    assert share.percent() == 10


def test_a_thread_that_never_asked_before_is_told_too() -> None:
    told: list[float] = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: told.append(machine.process()["cpu_percent"]))
        thread.start()
        thread.join()
    assert all(percent > 0 for percent in told)


def test_no_share_is_below_nothing_when_seconds_are_counted_anew() -> None:
    times = iter([(30.0, 100.0), (20.0, 110.0)])
    share = Share(lambda: next(times))
    share.percent()
    assert share.percent() == 0
