"""A Postgres that may be killed, what is to be done on it, and what is looked at meanwhile and afterwards."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from typing import Any
from uuid import UUID

import psutil
import psycopg2

from tests.e2e.service import Service
from tests.jobs.making import new_job
from thetool.database.connection import DatabaseUnavailable
from thetool.database.ids import new_id
from thetool.jobs.claims import NewJob
from thetool.jobs.groups.batches import cancel_batch
from thetool.jobs.queue import Queue

RECORDS = """
create table ledger (token uuid primary key, job_id uuid not null, attempt integer not null);
create table ends (job_id uuid not null, status text not null);
create function note_end() returns trigger language plpgsql as $$
begin
    insert into ends values (new.id, new.status);
    return null;
end $$;
create trigger note_end after update of status on jobs for each row
    when (new.kind like 'chaos.%' and new.status in ('completed', 'failed', 'cancelled')) execute function note_end();
"""
KEY_LIMIT = 2
RATE = (5, 0.25)
MANY_ATTEMPTS = 50
CHUNK = 100
# Of a hundred jobs so many: kind, and the longest time that one may take.
MIXTURE = (
    (43, "plain", 0.0),
    (1, "clan", 0.0),
    (40, "noted", 0.0),
    (4, "slow", 0.4),
    (1, "deaf", 0.6),
    (5, "flaky", 0.0),
    (2, "wrong", 0.0),
    (4, "child", 0.05),
)


def ask(url: str, statement: str, *values: Any) -> list[Any]:
    """What a statement gives, on a connection of its own."""
    with closing(psycopg2.connect(url, application_name="chaos")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []


def mixed_jobs(chance: random.Random, number: int, webhook_url: str) -> list[NewJob]:
    """Jobs of all kinds in any order, in batches of `CHUNK`; a few take longer than a lease.

    Some share a key of which only two may run, some one of which only five may begin within a quarter of a second, and
    some are told of at `webhook_url`.
    """
    weights, kinds, longest = zip(*MIXTURE, strict=True)
    jobs: list[NewJob] = []
    for place in chance.choices(range(len(kinds)), weights, k=number):
        seconds = chance.uniform(0, longest[place])
        if kinds[place] == "slow" and chance.random() < 0.03:
            seconds = 4.0
        more: dict[str, Any] = {"batch_id": jobs[-1].batch_id if len(jobs) % CHUNK else new_id()}
        if kinds[place] in ("noted", "child") and chance.random() < 0.1:
            more |= {"concurrency_key": f"chaos {chance.randrange(3)}", "concurrency_limit": KEY_LIMIT}
        if kinds[place] == "noted" and chance.random() < 0.03:
            more |= {"rate_key": "chaos", "rate_limit": RATE[0], "rate_seconds": RATE[1]}
        if kinds[place] in ("noted", "wrong", "clan") and chance.random() < 0.02:
            more |= {"webhook_url": webhook_url}
        params = f'{{"seconds": {seconds:.3f}, "succeeds_at": {chance.randint(2, 3)}}}'
        jobs.append(_job(kinds[place], params=params, priority=chance.choice([0, 0, 0, 1]), **more))
    return jobs


def endless_batch(number: int) -> list[NewJob]:
    """A batch of jobs that end when they are cancelled, one at a time."""
    together = {"batch_id": new_id(), "concurrency_key": "chaos endless", "concurrency_limit": 1}
    return [_job("dropped", timeout=86_400, **together) for _ in range(number)]


def _job(kind: str, **values: Any) -> NewJob:
    runs = "process" if kind == "child" else "thread"
    return new_job(kind=f"chaos.{kind}", runs=runs, max_attempts=MANY_ATTEMPTS, **values)


def make_families(url: str, queue: Queue, families: int, children: int) -> set[UUID]:
    """Parents that wait for their children; gives all their ids."""
    ids = set()
    for _ in range(families):
        parent = _job("noted")
        brood = [_job("flaky", parent_id=parent.id, params='{"succeeds_at": 2}') for _ in range(children)]
        with queue.connection.transaction() as cursor:
            queue.enqueue(parent, cursor=cursor)
            cursor.execute(
                "update jobs set run_at = 'infinity', children_left = %s where id = %s", (children, str(parent.id))
            )
            queue.enqueue_many(brood, cursor=cursor)
        ids |= {parent.id, *(child.id for child in brood)}
    return ids


class Supplier(threading.Thread):
    """Puts the jobs into the queue over some seconds, whatever happens to Postgres; cancels a batch in between."""

    def __init__(self, queue: Queue, jobs: list[NewJob], endless: list[NewJob], seconds: float) -> None:
        super().__init__(daemon=True)
        self._queue = queue
        self._steps = [partial(self._add, jobs[start : start + CHUNK]) for start in range(0, len(jobs), CHUNK)]
        self._steps.insert(0, partial(self._add, endless))
        self._steps.insert(len(self._steps) // 2, partial(self._cancel, endless))
        self._pause = seconds / len(self._steps)
        self.trouble: list[str] = []

    def run(self) -> None:
        for step in self._steps:
            while True:
                try:
                    step()
                except DatabaseUnavailable:
                    time.sleep(0.2)  # whether it was done is not known: said again, it is done once
                    continue
                break
            time.sleep(self._pause)

    def _add(self, jobs: list[NewJob]) -> None:
        added = self._queue.enqueue_many(jobs)
        if added != {job.id for job in jobs}:
            self.trouble.append(f"{len(added)} of {len(jobs)} jobs were added")

    def _cancel(self, jobs: list[NewJob]) -> None:
        for batch_id in {job.batch_id for job in jobs if job.batch_id}:
            cancel_batch(self._queue, batch_id, None)


class Callers(threading.Thread):
    """Asks the service for jobs all the time; remembers those that it was given."""

    def __init__(self, service: Service) -> None:
        super().__init__(daemon=True)
        self._service = service
        self._ended = threading.Event()
        self.promised: set[UUID] = set()

    def run(self) -> None:
        while not self._ended.wait(0.1):
            try:
                status, answer = self._service.post("/chaos/noted", {})
            except Exception:  # noqa: S112 - the service was killed in the middle of it; nothing was promised
                continue
            if status == 200:
                self.promised.add(UUID(answer["job_id"]))

    def end(self) -> None:
        self._ended.set()
        self.join(60)


class Watch(threading.Thread):
    """Looks all the time whether more jobs of a key run than may."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._ended = threading.Event()
        self.looks = 0
        self.violations: list[Any] = []

    def run(self) -> None:
        crowded = (
            "select concurrency_key, count(*) from jobs where status = 'running' and concurrency_key is not null"
            " group by concurrency_key having count(*) > max(concurrency_limit)"
        )
        while not self._ended.is_set():
            try:
                with closing(psycopg2.connect(self._url, application_name="chaos")) as connection:
                    connection.autocommit = True
                    self._look(connection, crowded)
            except psycopg2.Error:  # Postgres was killed, or is not back yet
                self._ended.wait(0.1)

    def _look(self, connection: Any, crowded: str) -> None:
        with connection.cursor() as cursor:
            while not self._ended.wait(0.1):
                cursor.execute(crowded)
                self.violations += cursor.fetchall()
                self.looks += 1

    def end(self) -> None:
        self._ended.set()
        self.join(60)


def children_of(parents: Iterable[int]) -> list[list[str]]:
    """The job children of these workers that live, also those whose worker is gone."""
    known = {str(pid) for pid in parents}
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = process.info["cmdline"] or []
        if "thetool.jobs.child" in command and command[-1] in known and process.info["status"] != "zombie":
            found.append(command)
    return found
