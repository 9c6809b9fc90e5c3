"""Thousands of jobs in a storm of kills, stops, cuts and jumps: each ends once, and nothing is kept that must not be.

The order of the blows and the jobs come of a seed, which is printed: `CHAOS_SEED=… pytest tests/chaos` repeats them.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2
import pytest

from tests.chaos.fleet import FAKETIME, LEASE_SECONDS, Fleet
from tests.chaos.ground import (
    RATE,
    RECORDS,
    Callers,
    Supplier,
    Watch,
    ask,
    children_of,
    endless_batch,
    make_families,
    mixed_jobs,
)
from tests.chaos.kinds import CLAN
from tests.chaos.proxy import Proxy
from tests.chaos.storm import CONNECTIONS, Storm
from tests.e2e.service import Service, until
from tests.jobs.webhooks.receiver import receiving
from thetool.config import Settings
from thetool.database.embedded import EmbeddedServer
from thetool.database.migrate import upgrade
from thetool.jobs.claims import NewJob
from thetool.jobs.groups.batches import state_of
from thetool.jobs.queue import Queue

UNFINISHED = """
select count(*) from jobs
where (kind like 'chaos.%' or kind = 'webhooks.deliver') and status in ('queued', 'running')
"""


class Ground:
    """Postgres, a proxy before it, three bare workers and a service, and a receiver of webhooks."""

    def __init__(self, stack: ExitStack) -> None:
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="thetool-chaos-")))
        self.server = EmbeddedServer(self.folder / "postgres-home")
        self.url = self.server.start(CONNECTIONS)
        stack.callback(self.server.stop)
        upgrade(Settings(DATABASE_URL=self.url))
        ask(self.url, RECORDS)
        self.queue = Queue(self.url, lease=LEASE_SECONDS, name="chaos")
        self.proxy = Proxy(self.server.cluster.socket_folder / ".s.PGSQL.5432")
        stack.callback(self.proxy.close)
        (self.folder / "service").mkdir()
        self.service = Service(
            self.folder / "service",
            self.url,
            WEB_CONCURRENCY=1,
            JOB_LEASE_SECONDS=LEASE_SECONDS,
            GRACEFUL_TIMEOUT=2,
            WEBHOOK_ALLOW_PRIVATE="true",
        )
        stack.callback(self.service.destroy)
        self.fleet = Fleet(self.folder, self.url, self.proxy)
        stack.callback(self.fleet.destroy)
        self.service.launch_and_wait("-m", "gunicorn", "tests.chaos.sample:app")
        assert self.service.post("/api/v1/keys/current/webhook-secret", {})[0] == 201
        self.receiver = stack.enter_context(receiving())


@pytest.fixture
def ground() -> Iterator[Ground]:
    with ExitStack() as stack:
        yield Ground(stack)


def endure(ground: Ground, number: int, rounds: int, pause: float) -> None:
    """Let `number` jobs be done in a storm, and look at everything afterwards."""
    seed = int(os.environ.get("CHAOS_SEED") or random.randrange(2**32))
    print(f"CHAOS_SEED={seed}")
    storm = Storm(seed, ground.fleet, ground.proxy, ground.server, ground.service)
    jobs, endless = mixed_jobs(random.Random(seed), number, ground.receiver.url), endless_batch(20)
    expected = {job.id for job in (*jobs, *endless)} | make_families(ground.url, ground.queue, families=10, children=5)
    supplier = Supplier(ground.queue, jobs, endless, seconds=rounds * pause * 8)
    callers, watch = Callers(ground.service), Watch(ground.url)
    for thread in (supplier, callers, watch):
        thread.start()
    try:
        storm.rage(rounds, pause)
        supplier.join(120)
        callers.end()
        until(lambda: ask(ground.url, UNFINISHED) == [(0,)], "all jobs are finished", 60 + 30 * rounds)
    finally:
        watch.end()
        print("\n".join(storm.history))
    assert supplier.trouble == []
    assert watch.looks > 10
    assert watch.violations == []
    look_at_the_jobs(ground.url, expected | callers.promised)
    look_at_what_belongs_together(ground, jobs)
    assert callers.promised
    look_for_leftovers(ground, storm.service_pids)


def look_at_the_jobs(url: str, expected: set[UUID]) -> None:
    """Every job ended, once; what stays of it is what its last claim did."""
    columns = "id::text, kind, status, error->>'code', attempts, claim_token::text, lost"
    found = {UUID(row[0]): row[1:] for row in ask(url, f"select {columns} from jobs where kind like 'chaos.%'")}
    assert expected <= found.keys(), "jobs are lost"
    unexpected = (
        "select kind, status, attempts, lost, error from jobs where kind like 'chaos.%'"
        " and concat_ws(' ', status, error->>'code')"
        " <> case kind when 'chaos.wrong' then 'failed job_failed' when 'chaos.dropped' then 'cancelled'"
        " else 'completed' end limit 3"
    )
    assert ask(url, unexpected) == []
    twice = ask(url, "select job_id, array_agg(status) from ends group by job_id having count(*) > 1")
    assert twice == [], "ended more than once"
    assert ask(url, "select count(*) from ends") == [(len(found),)]

    ledger = {UUID(row[0]): row[1:] for row in ask(url, "select job_id::text, attempt, token::text from ledger")}
    assert ask(url, "select count(*) from ledger") == [(len(ledger),)], "a job's side effect was kept twice"
    silent = ("chaos.wrong", "chaos.plain", "chaos.dropped")
    entered = {job_id: row for job_id, row in found.items() if row[0] not in silent}
    assert ledger == {job_id: (row[3], row[4]) for job_id, row in entered.items()}
    too_early = "select count(*) from jobs as parent join jobs as child on child.parent_id = parent.id where"
    assert ask(url, f"{too_early} parent.started_at < child.finished_at") == [(0,)]
    lost = sum(row[5] for row in found.values())
    print(f"{len(found)} jobs; lost {lost} times; attempts at most {max(row[3] for row in found.values())}")
    assert lost > 0, "the storm was none"


def look_at_what_belongs_together(ground: Ground, jobs: list[NewJob]) -> None:
    """Batches are whole, parents have each child once, no rate was broken, each end was told of."""
    for batch_id in {job.batch_id for job in jobs if job.batch_id}:
        mine = [job for job in jobs if job.batch_id == batch_id]
        wrong = sum(job.kind == "chaos.wrong" for job in mine)
        state = state_of(ground.queue, batch_id, None)
        assert state
        assert (state.completed, state.failed, state.total) == (len(mine) - wrong, wrong, len(mine))
        assert (state.progress, state.status) == (1.0, "partial" if wrong else "completed")
    clans = (
        "select array_agg(child.kind order by child.id) from jobs as parent left join jobs as child"
        " on child.parent_id = parent.id where parent.kind = 'chaos.clan' group by parent.id"
    )
    assert {tuple(row[0]) for row in ask(ground.url, clans)} == {CLAN}
    too_close = (
        "select count(*) from (select started_at, lead(started_at, %s) over (order by started_at) as later from jobs"
        " where rate_key is not null) as beginnings where later - started_at < make_interval(secs => %s)"
    )
    assert ask(ground.url, too_close, RATE[0], 0.8 * RATE[1]) == [(0,)], "a rate was broken"
    told = ask(
        ground.url,
        "select delivery_of::text, params->>'message_id', status from jobs where kind = 'webhooks.deliver'",
    )
    assert {status for *_, status in told} == {"completed"}
    assert sorted(row[0] for row in told) == sorted(str(job.id) for job in jobs if job.webhook_url)
    assert {request.headers["webhook-id"] for request in ground.receiver.requests} == {row[1] for row in told}


def look_for_leftovers(ground: Ground, service_pids: set[int]) -> None:
    """All processes end when they are told to, and leave nothing."""
    ground.service.send(signal.SIGTERM)
    ground.fleet.jump("+400d")
    assert ground.fleet.close() == dict.fromkeys(ground.fleet.processes, 0), ground.fleet.log()[-5000:]
    assert f"ended on {datetime.now(UTC) + timedelta(days=400):%Y-%m}" in ground.fleet.log(), "its clock has not jumped"
    assert ground.service.wait() == 0, ground.service.log()[-5000:]
    assert not ground.service.processes()
    until(lambda: not children_of(ground.fleet.pids | service_pids), "no child is left")
    ground.queue.close()
    others = "select pid, application_name from pg_stat_activity where backend_type = 'client backend' and pid <> %s"

    def connections() -> list[Any]:
        with psycopg2.connect(ground.url) as connection, connection.cursor() as cursor:
            cursor.execute(others, (connection.info.backend_pid,))
            return cursor.fetchall()

    until(lambda: not connections(), "no connection is left")


needs_faketime = pytest.mark.skipif(FAKETIME is None, reason="the clock that jumps needs Debian's faketime")


@needs_faketime
@pytest.mark.timeout(300)
def test_a_storm(ground: Ground) -> None:
    endure(ground, number=5_000, rounds=1, pause=1.2)


@needs_faketime
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_long_storm(ground: Ground) -> None:
    endure(ground, number=30_000, rounds=8, pause=2.0)
