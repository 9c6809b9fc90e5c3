"""How many jobs with a key run at a time, and how many begin within a time: exact, whoever claims."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.jobs.making import OWNER, new_job, rows, until, wish
from tests.jobs.sample_jobs import Params
from tests.jobs.test_workers import StartWorker, start_worker
from thetool.jobs.claims import Claim, Ending, NewJob
from thetool.jobs.failure import Failure
from thetool.jobs.queue import Queue
from thetool.jobs.registry import check_limits
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit
from thetool.jobs.waiting import wait_for

__all__ = ["start_worker"]

WORKER = uuid4()

# The most that ran at a time: at each beginning, how many had begun and not ended.
MOST_AT_A_TIME = """
select max(together) from (
    select (
        select count(*) from jobs as other where other.concurrency_key = jobs.concurrency_key
            and other.started_at <= jobs.started_at and other.finished_at > jobs.started_at
    ) as together from jobs where concurrency_key is not null
) as beginnings
"""
# How close one job began to the n-th after it.
CLOSEST = """
select min(extract(epoch from later - started_at))::float8 from (
    select started_at, lead(started_at, %s) over (partition by rate_key order by started_at) as later
    from jobs where rate_key is not null
) as beginnings
"""


def limited(key: str = "k", limit: int = 1, **changes: Any) -> NewJob:
    return new_job(concurrency_key=key, concurrency_limit=limit, **changes)


def rated(key: str = "r", limit: int = 1, seconds: float = 60.0, **changes: Any) -> NewJob:
    return new_job(rate_key=key, rate_limit=limit, rate_seconds=seconds, **changes)


def put(queue: Queue, *jobs: NewJob) -> list[UUID]:
    queue.enqueue_many(jobs)
    return [job.id for job in jobs]


def take(queue: Queue, worker: UUID = WORKER) -> Claim:
    (claim,) = queue.claim(wish(worker))
    return claim


def work_off(url: str, threads: int, pause: Callable[[Claim], None]) -> None:
    """So many workers, each with a connection of its own, until nothing is left."""

    def work() -> None:
        own = Queue(url)
        claims: list[Claim] = []
        while claims or rows(url, "select 1 from jobs where finished_at is null limit 1"):
            for claim in claims:
                pause(claim)
            own.release()
            _, claims = own.complete_and_claim([Ending(claim, "{}") for claim in claims], wish(limit=3))
        own.close()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def test_as_many_run_at_a_time_as_the_limit_says(queue: Queue) -> None:
    """Six workers; three keys, and jobs without one."""
    jobs = [limited(f"key{number % 3}", 2) for number in range(90)] + [new_job() for _ in range(60)]
    put(queue, *jobs)
    work_off(queue.url, 6, lambda claim: time.sleep(0.002))
    assert rows(queue.url, "select status, max(attempts), count(*) from jobs group by status") == [
        ("completed", 1, 150)
    ]
    assert rows(queue.url, MOST_AT_A_TIME) == [(2,)]


def test_as_many_begin_within_a_time_as_the_rate_says(queue: Queue) -> None:
    put(queue, *[rated("a", 3, 0.5) for _ in range(10)], *[rated("b", 1, 0.2) for _ in range(6)])
    work_off(queue.url, 4, lambda claim: None)
    assert rows(queue.url, "select count(*) from jobs where status = 'completed'") == [(16,)]
    ((closest,),) = rows(queue.url, CLOSEST.replace("from jobs where", "from jobs where rate_key = 'a' and"), 3)
    assert closest >= 0.5
    ((closest,),) = rows(queue.url, CLOSEST.replace("from jobs where", "from jobs where rate_key = 'b' and"), 1)
    assert closest >= 0.2


def test_a_retry_counts_as_a_beginning(queue: Queue) -> None:
    put(queue, rated("r", 2, 60))
    for _ in range(2):
        queue.retry(take(queue), Failure("broken", "It broke."), 0)
    assert queue.claim(wish(WORKER)) == []


def test_ten_thousand_that_must_wait_hinder_nobody(queue: Queue) -> None:
    blocked = put(queue, *[limited() for _ in range(10_000)])
    free = put(queue, new_job(), new_job())
    assert take(queue).id == blocked[0]
    assert [take(queue).id, take(queue).id] == free
    assert rows(queue.url, "select held, count(*) from jobs group by held order by held") == [(False, 3), (True, 9_999)]
    rows(queue.url, "analyze jobs")
    plan = "\n".join(
        line
        for (line,) in rows(
            queue.url,
            "explain (analyze, timing off) select id from jobs where status = 'queued' and not held and queue = 'cpu'"
            " and runs = 'thread' and kind = any('{sample.noop}') and run_at <= now() order by rank, id limit 1",
        )
    )
    assert "jobs_ready" in plan
    assert "Removed" not in plan
    assert "actual rows=0" in plan


END: dict[str, Callable[[Queue, Claim], object]] = {
    "completed": lambda queue, claim: queue.complete(claim, "{}"),
    "failed": lambda queue, claim: queue.fail(claim, Failure("broken", "It broke.")),
    "put off": lambda queue, claim: queue.retry(claim, Failure("broken", "It broke."), 60),
    "cancelled": lambda queue, claim: queue.cancel(claim.id) and queue.finish_cancelled(claim),
    "lost": lambda queue, claim: (
        rows(queue.url, "update jobs set lease_expires_at = now() - interval '1 second', attempts = 3"),
        queue.rescue(),
    ),
    "deleted": lambda queue, claim: rows(queue.url, "delete from jobs where id = %s", str(claim.id)),
}  # fmt: skip


@pytest.mark.parametrize("end", END)
def test_whatever_ends_one_lets_the_next_begin(queue: Queue, end: str) -> None:
    first, second, third = put(queue, limited(), limited(), limited())
    claim = take(queue)
    assert queue.claim(wish(WORKER)) == []
    END[end](queue, claim)
    assert take(queue).id == second
    assert queue.claim(wish(WORKER)) == []
    assert (claim.id, queue.status(third)) == (first, "queued")


def test_what_is_handed_back_keeps_its_turn(queue: Queue) -> None:
    first, second = put(queue, limited(), limited())
    take(queue)
    assert queue.claim(wish(WORKER)) == []
    queue.hand_back(WORKER)
    assert take(queue).id == first
    assert queue.claim(wish(WORKER)) == []
    assert queue.status(second) == "queued"


def test_the_next_is_the_one_whose_turn_it_is(queue: Queue) -> None:
    put(queue, limited())
    claim = take(queue)
    _, urgent = put(queue, limited(), limited(priority=5))
    assert queue.claim(wish(WORKER)) == []
    queue.complete(claim, "{}")
    assert take(queue).id == urgent


def test_a_free_place_is_not_lost_with_a_queued_job(queue: Queue) -> None:
    """It was let go, and is cancelled, or put off, before anybody claims it."""
    _, second, third, fourth = put(queue, *[limited() for _ in range(4)])
    claim = take(queue)
    assert queue.claim(wish(WORKER)) == []
    queue.complete(claim, "{}")
    queue.cancel(second)
    rows(queue.url, "update jobs set run_at = now() + interval '1 hour' where id = %s", str(third))
    assert queue.claim(wish(WORKER)) == []
    queue.release_stuck()
    assert take(queue).id == fourth


def test_both_keys_must_have_room(queue: Queue) -> None:
    both = {"rate_key": "r", "rate_limit": 1, "rate_seconds": 0.3}
    first, second = put(queue, limited(**both), limited(**both))
    claim = take(queue)
    assert queue.claim(wish(WORKER)) == []
    queue.complete(claim, "{}")
    waits: list[float] = []
    queue.look_in = waits.append
    assert queue.claim(wish(WORKER)) == []
    assert [0 <= seconds <= 0.3 for seconds in waits] == [True]

    def again() -> list[Claim]:
        queue.release()
        return queue.claim(wish(WORKER))

    assert until(again, "its rate lets it begin")[0].id == second
    assert claim.id == first
    assert rows(queue.url, CLOSEST, 1)[0][0] >= 0.3


def test_limits_of_jobs_with_one_key_may_differ(queue: Queue) -> None:
    narrow, wide, wider = put(queue, limited(limit=1), limited(limit=2), limited(limit=3))
    assert take(queue).id == narrow
    assert take(queue).id == wide
    assert take(queue).id == wider
    put(queue, limited(limit=3))
    assert queue.claim(wish(WORKER)) == []


def test_a_job_for_later_takes_no_place(queue: Queue) -> None:
    later, now = put(queue, limited(run_at=datetime.now(UTC) + timedelta(hours=1), priority=100), limited())
    assert take(queue).id == now
    assert queue.status(later) == "queued"


def test_workers_keep_the_limit_between_them(start_worker: StartWorker, queue: Queue) -> None:
    for _ in range(3):
        start_worker()
    jobs = [limited(limit=2, kind="sample.sleep", params='{"seconds":0.02}') for _ in range(30)]
    jobs += [rated(limit=4, seconds=0.5, kind="sample.sleep") for _ in range(12)]
    put(queue, *jobs)
    until(
        lambda: rows(queue.url, "select count(*) from jobs where status = 'completed'") == [(42,)], "all are done", 60
    )
    assert rows(queue.url, MOST_AT_A_TIME) <= [(2,)]
    assert rows(queue.url, CLOSEST, 4)[0][0] >= 0.5


def test_a_job_that_is_run_where_it_was_made_keeps_the_limit_too(runner: Runner) -> None:
    """Two slots are free."""
    jobs = [
        submit("sample.sleep", Params(seconds=0.05), owner_id=OWNER, concurrency_key="one at a time").job_id
        for _ in range(6)
    ]
    assert {wait_for(job_id, 30).status for job_id in jobs} == {"completed"}
    assert rows(runner.queue.url, MOST_AT_A_TIME) == [(1,)]


def test_a_kind_may_have_limits(runner: Runner) -> None:
    for _ in range(2):
        submit("sample.seldom", Params(), owner_id=OWNER)
    submit("sample.seldom", Params(), owner_id=OWNER, concurrency_key="mine", rate_key="mine too", rate=(7, 1.5))
    columns = "concurrency_key, concurrency_limit, rate_key, rate_limit, rate_seconds"
    assert rows(runner.queue.url, f"select {columns} from jobs order by id") == [
        ("sample.seldom", 2, "sample.seldom", 5, 60.0),
        ("sample.seldom", 2, "sample.seldom", 5, 60.0),
        ("mine", 2, "mine too", 7, 1.5),
    ]


@pytest.mark.parametrize(
    ("concurrency", "rate"), [(0, None), (-1, None), (None, (0, 1.0)), (None, (1, 0.0)), (None, (1001, 1.0))]
)
def test_limits_that_make_no_sense_are_refused(concurrency: int | None, rate: tuple[int, float] | None) -> None:
    with pytest.raises(ValueError, match="at least one|a rate is"):
        check_limits(concurrency, rate)


def test_a_rate_key_needs_a_rate(runner: Runner) -> None:
    with pytest.raises(ValueError, match="needs a rate"):
        submit("sample.noop", Params(), owner_id=OWNER, rate_key="r")
