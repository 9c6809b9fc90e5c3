from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetool.jobs.schedules.rules import Cron, Every

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, MOMENTS, st.sampled_from([0.1, 0.3, 2, 60, 7_200]))
def test_the_next_step_is_the_first_after_now_whatever_was_missed(now: datetime, tick: datetime, step: float) -> None:
    following = Every(step).next_tick(now, tick)
    assert now < following
    if tick <= now:
        assert following - now <= timedelta(seconds=step)
        steps = (following - tick).total_seconds() / step
        assert abs(steps - round(steps)) < 1e-3


def test_a_new_one_is_due_one_step_from_now() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert Every(300).next_tick(now) == now + timedelta(seconds=300)


def test_a_crontab_line_is_read_in_utc_with_days_by_name() -> None:
    sunday = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    assert Cron("0 3 * * *").next_tick(sunday) == sunday + timedelta(days=1)
    assert Cron("0 3 * * mon-fri").next_tick(sunday - timedelta(days=1)) == sunday + timedelta(days=1)
    assert Cron("*/5 * * * *").next_tick(sunday, sunday - timedelta(days=9)) == sunday + timedelta(minutes=5)


@pytest.mark.parametrize("line", ["", "* * * *", "0 3 * * 1", "0  3 * * *", "61 * * * *", "* * * * someday"])
def test_what_is_no_crontab_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        Cron(line)


def test_a_moment_that_never_comes() -> None:
    with pytest.raises(ValueError, match="never comes"):
        Cron("0 0 30 2 *").next_tick(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("seconds", [0, -1, 0.01, float("nan")])
def test_steps_have_a_size(seconds: float) -> None:
    with pytest.raises(ValueError):
        Every(seconds)
