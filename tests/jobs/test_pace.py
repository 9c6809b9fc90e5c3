from __future__ import annotations

import pytest

from thetool.jobs.pace import ENOUGH_RUNS, MOST_AT_A_TIME, Pace


def paced(*seconds: float) -> Pace:
    pace = Pace()
    for value in seconds:
        pace.note("sample.noop", value)
    return pace


def test_nothing_is_known_at_first() -> None:
    assert Pace().size("sample.noop") == 1
    assert Pace().size(None) == 1
    assert paced(*[0.001] * (ENOUGH_RUNS - 1)).size("sample.noop") == 1


@pytest.mark.parametrize(
    ("seconds", "size"),
    [(0.00001, MOST_AT_A_TIME), (0.001, 50), (0.004, 12), (0.02, 2), (0.03, 1), (0.05, 1), (3, 1)],
)
def test_as_many_as_are_done_in_a_twentieth_of_a_second(seconds: float, size: int) -> None:
    assert paced(*[seconds] * 200).size("sample.noop") == size


def test_one_in_twenty_may_be_slow_and_no_more() -> None:
    assert paced(*[0.001] * 192, *[9] * 8).size("sample.noop") == 50
    assert paced(*[0.001] * 188, *[9] * 12).size("sample.noop") == 1


def test_only_the_last_two_hundred_count() -> None:
    assert paced(*[9] * 200, *[0.001] * 200).size("sample.noop") == 50
    assert paced(*[0.001] * 2000, *[9] * 11).size("sample.noop") == 1


def test_others_come_along_that_are_as_quick() -> None:
    pace = paced(*[0.001] * 20)
    for kind, seconds in (("sample.a", 0.0001), ("sample.b", 0.01)):
        for _ in range(20):
            pace.note(kind, seconds)
    kinds = ("sample.noop", "sample.a", "sample.b", "sample.unknown")
    assert pace.as_quick_as("sample.noop", kinds) == ("sample.noop", "sample.a")
    assert pace.as_quick_as("sample.b", kinds) == ("sample.noop", "sample.a", "sample.b")
