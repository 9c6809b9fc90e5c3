from __future__ import annotations

import random
import statistics as plain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jobs.making import rows
from thetool.jobs.queue import Queue
from thetool.jobs.schedules import statistics
from thetool.jobs.schedules.tally import STEPS, Tally, percentile, step_of, tally


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    tally.take()


@given(st.lists(st.floats(0.001, 80_000), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 1]))
def test_a_percentile_is_at_most_nine_percent_off(durations: list[float], share: float) -> None:
    counts = [0] * STEPS
    for seconds in durations:
        counts[step_of(seconds)] += 1
    ordered = sorted(durations)
    exact = next(value for number, value in enumerate(ordered, 1) if number >= share * len(ordered))
    assert percentile(counts, share) == pytest.approx(exact, rel=0.0906)


@pytest.mark.parametrize(("seconds", "step"), [(0, 0), (0.000_25, 0), (0.000_26, 1), (10**9, STEPS - 1)])
def test_steps(seconds: float, step: int) -> None:
    assert step_of(seconds) == step


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile([0] * STEPS, 0.5) is None


def test_counts_of_several_processes_add_up(queue: Queue) -> None:
    chance = random.Random(7)  # noqa: S311
    durations = [chance.lognormvariate(-3, 1) for _ in range(500)]
    for number, seconds in enumerate(durations):
        tally.add("a.b", "failed" if number % 10 == 0 else "completed", seconds)
        if number % 100 == 0:
            statistics.write(queue)
    tally.add("a.b", "queued", 0.1)
    tally.add("a.b", "lost", None)
    statistics.write(queue)
    for period in ("hour", "minute"):
        told = statistics.by_period(queue, period, 7_200)
        assert sum(row["completed"] for row in told) == 450
        assert sum(row["failed"] for row in told) == 50
        assert sum(row["retried"] for row in told) == sum(row["lost"] for row in told) == 1
    (hour, *_) = statistics.by_period(queue, "hour", 7_200)
    if hour["completed"] == 450:  # else the clock struck between
        assert hour["p50_ms"] == pytest.approx(1000 * plain.median(durations), rel=0.12)
        assert hour["mean_ms"] == pytest.approx(1000 * plain.mean(durations), rel=0.02)


def test_finished_jobs_of_the_last_minutes_count_as_made(queue: Queue) -> None:
    assert statistics.recent(queue)["enqueued_per_minute"] == 0.0
    for minutes in (0, 0, 2, 2, 2, 3, 10):
        rows(
            queue.url,
            "insert into jobs (id, kind, queue, params, timeout_s, owner_id, status, finished_at, created_at) "
            "select gen_random_uuid(), 'k', 'cpu', '{}', 1, gen_random_uuid(), 'completed', now(), "
            "now() - make_interval(mins => %s)",
            minutes,
        )
    assert 6 / 5 <= statistics.recent(queue)["enqueued_per_minute"] <= 6 / 4


def test_the_rate_of_very_many_new_jobs_is_estimated(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "NEWEST", 100)
    rows(
        queue.url,
        "insert into jobs (id, kind, queue, params, timeout_s, owner_id, created_at) "
        "select lpad(to_hex(1000 - n), 32, '0')::uuid, 'k', 'cpu', '{}', 1, gen_random_uuid(), "
        "now() - make_interval(secs => n / 100.0) from generate_series(1, 1000) as n",
    )
    assert statistics.recent(queue)["enqueued_per_minute"] == pytest.approx(6_000, rel=0.5)


def test_counting_starts_anew_after_it_was_taken() -> None:
    own = Tally()
    own.add("a.b", "completed", 1.0)
    assert own.take()["a.b"].outcomes["completed"] == 1
    assert own.take() == {}
