from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.jobs.making import new_job, rows, wish
from tests.jobs.schedules.sample_schedules import ERRANDS, JOBS
from thetool.access.records import MASTER_OWNER_ID
from thetool.jobs.queue import Queue
from thetool.jobs.schedules.registry import Schedule
from thetool.jobs.schedules.rules import Every
from thetool.jobs.schedules.table import Timetable

KIND = "schedules_sample.tick"


@pytest.fixture
def table(queue: Queue) -> Timetable:
    table = Timetable(queue, [JOBS, ERRANDS])
    table.add()
    return table


def make_due(queue: Queue, ago: str = "1 second") -> None:
    rows(queue.url, "update schedules set next_run_at = now() - %s::interval", ago)


def test_a_new_schedule_is_not_due_at_once(queue: Queue) -> None:
    table = Timetable(queue, [Schedule("hourly", Every(3_600), kind=KIND)])
    table.add()
    assert table.due() == []
    assert rows(queue.url, "select next_run_at > now() + interval '59 minutes' from schedules") == [(True,)]


def test_a_known_one_keeps_its_time_unless_its_rule_changes(queue: Queue, table: Timetable) -> None:
    make_due(queue, "1 hour")
    table.add()
    assert len(table.due()) == 2
    Timetable(queue, [Schedule(JOBS.name, Every(60), kind=KIND)]).add()
    assert rows(queue.url, "select rule, next_run_at > now() from schedules where name = %s", JOBS.name) == [
        ("every 60 s", True)
    ]


def test_a_tick_becomes_a_job_of_the_master_that_is_soon_forgotten(queue: Queue, table: Timetable) -> None:
    make_due(queue)
    (tick,) = [tick for tick in table.due() if tick.schedule is JOBS]
    assert table.take(tick)
    [(owner, key, job_id)] = rows(queue.url, "select owner_id, dedupe_key, id from jobs")
    assert owner == str(MASTER_OWNER_ID)
    assert key == f"schedule:{JOBS.name}:{tick.at.isoformat()}"
    assert rows(queue.url, "select job_id, runs from schedules where name = %s", JOBS.name) == [(job_id, 1)]
    (claim,) = queue.claim(wish(kind=KIND))
    assert queue.complete(claim, "{}")
    assert rows(queue.url, "select expires_at - finished_at <= interval '1 hour' from jobs") == [(True,)]


def test_missed_ticks_are_caught_up_once(queue: Queue, table: Timetable) -> None:
    make_due(queue, "3 days")
    for _ in range(3):
        for tick in table.due():
            assert tick.following > tick.at
            table.take(tick)
        rows(queue.url, "delete from schedules where next_run_at < now()")
    assert rows(queue.url, "select count(*) from jobs") == [(1,)]


def test_a_predecessor_that_nobody_would_take_any_more_is_not_waited_for(queue: Queue, table: Timetable) -> None:
    """While versions change, a process of the old one may make the job for slots that the kind had there."""
    make_due(queue)
    assert all(table.take(tick) for tick in table.due())
    rows(queue.url, "update jobs set runs = 'network'")
    assert queue.claim(wish(kind=KIND)) == []
    make_due(queue)
    assert all(table.take(tick) for tick in table.due())
    assert len(queue.claim(wish(kind=KIND))) == 1


def test_a_tick_whose_predecessor_is_unfinished_makes_no_job(queue: Queue, table: Timetable) -> None:
    for _ in range(3):
        make_due(queue)
        assert [table.take(tick) for tick in table.due()] == [True, True]
    assert rows(queue.url, "select count(*) from jobs") == [(1,)]
    assert rows(queue.url, "select runs, skipped from schedules where name = %s", JOBS.name) == [(3, 2)]
    (claim,) = queue.claim(wish(kind=KIND))
    queue.complete(claim, "{}")
    make_due(queue)
    assert all(table.take(tick) for tick in table.due())
    assert rows(queue.url, "select count(*) from jobs") == [(2,)]


def test_a_job_goes_before_those_of_callers(queue: Queue, table: Timetable) -> None:
    for priority in (0, 10):
        queue.enqueue(new_job(kind=KIND, priority=priority))
    make_due(queue)
    assert all(table.take(tick) for tick in table.due())
    (claim,) = queue.claim(wish(kind=KIND))
    assert claim.correlation_id == f"schedule-{JOBS.name}"


def test_without_the_job_the_tick_stays(queue: Queue) -> None:
    """Claim and job are one transaction."""
    table = Timetable(queue, [Schedule("odd", Every(1), kind=KIND)])
    table.add()
    make_due(queue)
    (tick,) = table.due()
    rows(queue.url, "alter table jobs add constraint no_ticks check (correlation_id not like 'schedule%')")
    with pytest.raises(Exception, match="no_ticks"):
        table.take(tick)
    assert [again.at for again in table.due()] == [tick.at]
    rows(queue.url, "alter table jobs drop constraint no_ticks")
    assert table.take(tick)


@contextmanager
def queues(url: str, count: int) -> Iterator[list[Queue]]:
    made = [Queue(url, name=f"of {number}") for number in range(count)]
    try:
        yield made
    finally:
        for queue in made:
            queue.close()


@pytest.mark.parametrize("schedule", [JOBS, ERRANDS], ids=["job", "errand"])
def test_of_many_who_reach_for_a_tick_one_has_it(database: str, schedule: Schedule) -> None:
    with queues(database, 8) as made:
        tables = [Timetable(queue, [schedule]) for queue in made]
        tables[0].add()
        for _ in range(20):
            make_due(made[0])
            (tick,) = tables[0].due()
            ready, won = threading.Barrier(8), []

            def reach(table: Timetable) -> None:
                ready.wait()  # noqa: B023 - ends before the next round
                if table.take(tick):  # noqa: B023
                    won.append(table)  # noqa: B023

            threads = [threading.Thread(target=reach, args=[table]) for table in tables]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(won) == 1
            rows(database, "update jobs set status = 'completed' where status = 'queued'")
    keys = rows(database, "select count(distinct dedupe_key), count(*) from jobs")
    assert keys == [(20, 20) if schedule is JOBS else (0, 0)]
