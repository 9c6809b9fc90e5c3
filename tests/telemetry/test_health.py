"""Probes are asked in the background, once at a time, and whatever they do, an answer comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.service import until
from thetool.telemetry import health, reports
from thetool.telemetry.health import readings, register_probe


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(health, "time", clock)
    return clock


class Probe:
    """Counts how often it was asked; can be held up and made to fail."""

    def __init__(self) -> None:
        self.asked = 0
        self.at_once = 0
        self.error: Exception | None = None
        self.go = threading.Event()
        self.go.set()

    def __call__(self) -> Mapping[str, Any]:
        self.asked += 1
        self.at_once += 1
        try:
            self.go.wait(30)
            if self.error:
                raise self.error
            return {"answer": self.asked}
        finally:
            self.at_once -= 1


@pytest.fixture
def probe() -> Iterator[Probe]:
    probe = Probe()
    register_probe("thing", probe, required=True)
    yield probe
    probe.go.set()


def test_first_question_waits_for_the_answer(probe: Probe) -> None:
    reading = readings()["thing"]
    assert reading.well
    assert reading.values == {"answer": 1}


def test_young_reading_is_given_again(probe: Probe, clock: Clock) -> None:
    for _ in range(5):
        assert readings()["thing"].values == {"answer": 1}
    assert probe.asked == 1


def test_older_reading_is_given_while_a_new_one_is_taken(probe: Probe, clock: Clock) -> None:
    readings()
    probe.go.clear()
    clock.now += 2
    assert readings()["thing"].values == {"answer": 1}
    until(lambda: probe.asked == 2, "it is asked again")
    probe.go.set()
    until(lambda: readings()["thing"].values == {"answer": 2}, "the new reading is given")


def test_old_reading_is_not_given(probe: Probe, clock: Clock) -> None:
    readings()
    clock.now += 60
    assert readings()["thing"].values == {"answer": 2}


def test_many_at_once_ask_one_question(probe: Probe) -> None:
    probe.go.clear()
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(readings()["thing"])) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: probe.asked == 1, "it is asked")
    probe.go.set()
    for thread in threads:
        thread.join()
    assert probe.asked == 1
    assert all(reading.values == {"answer": 1} for reading in found)


def test_failing_probe_is_not_well_and_recovers(probe: Probe, clock: Clock) -> None:
    probe.error = RuntimeError("broken\nat some length" + "x" * 1000)
    reading = readings()["thing"]
    assert (reading.well, reading.required, reading.error) == (False, True, "broken")
    assert reports.missing() == ["thing"]
    probe.error = None
    clock.now += 60
    assert readings()["thing"].well
    assert reports.missing() == []


def test_hanging_probe_is_given_up_and_costs_one_thread(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.05)
    probe.go.clear()
    for _ in range(5):
        reading = readings()["thing"]
        assert not reading.well
        assert reading.error is not None
        assert reading.error.startswith("no answer")
    assert probe.at_once == 1
    probe.go.set()
    until(lambda: readings()["thing"].well, "it recovers")


def test_given_up_probe_is_not_waited_for_again(probe: Probe, clock: Clock) -> None:
    probe.go.clear()
    health._watches["thing"].begin()
    clock.now += 60
    assert not readings()["thing"].well
    assert probe.at_once == 1  # it hangs still: nobody waited for its end


def test_one_hanging_probe_does_not_hide_the_others(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.05)
    register_probe("other", lambda: {"fine": True})
    probe.go.clear()
    found = readings()
    assert not found["thing"].well
    assert found["other"].values == {"fine": True}


def test_only_those_asked_for(probe: Probe) -> None:
    register_probe("other", lambda: {})
    assert readings(("other", "unknown")).keys() == {"other"}
    assert probe.asked == 0


def test_same_name_takes_the_place(probe: Probe) -> None:
    register_probe("thing", lambda: {"new": True})
    assert readings()["thing"].values == {"new": True}
