"""Random walks through the life of jobs on the real Postgres, beside a model in plain Python that must agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import psycopg2
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from hypothesis.stateful import run_state_machine_as_test as walk

from tests.jobs.life_model import KEY_LIMITS, UNFINISHED, Entry, Model
from tests.jobs.making import new_job, wish
from thetool.jobs.claims import Claim, Ending, Wish
from thetool.jobs.failure import Failure
from thetool.jobs.groups.requeue import EqualIsUnfinished, requeue
from thetool.jobs.queue import Queue

WORKERS = [UUID(int=1), UUID(int=2)]
TROUBLE = Failure("trouble", "It did not work.")


class LifeOfJobs(Model, RuleBasedStateMachine):
    """Two workers, two keys that limit what runs at a time, and everything that may happen to a job."""

    claims = Bundle("claims")
    workers = st.sampled_from(WORKERS)

    def __init__(self, queue: Queue, connection: Any) -> None:
        super().__init__()
        self.queue = queue
        self.connection = connection

    def sql(self, statement: str, *values: Any) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    @initialize()
    def start(self) -> None:
        self.sql("delete from jobs; delete from ledger")

    # --- into the queue

    @rule(
        priority=st.sampled_from([0, 0, 0, 10]),
        max_attempts=st.integers(1, 3),
        key=st.sampled_from([None, None, *KEY_LIMITS]),
        dedupe=st.sampled_from([None, None, "once"]),
        number=st.sampled_from([1, 1, 3]),
    )
    def enqueue(self, priority: int, max_attempts: int, key: str | None, dedupe: str | None, number: int) -> None:
        jobs = [
            new_job(
                priority=priority,
                max_attempts=max_attempts,
                dedupe_key=dedupe,
                concurrency_key=key,
                concurrency_limit=KEY_LIMITS.get(str(key)),
            )
            for _ in range(number)
        ]
        added = self.queue.enqueue_many(jobs) if number > 1 else {job.id for job in jobs if self.queue.enqueue(job)}
        expected = jobs if dedupe is None else jobs[: 0 if self.has_unfinished(dedupe) else 1]
        assert added == {job.id for job in expected}
        due = self.moment()
        for job in expected:
            self.jobs[job.id] = Entry(job.id, due, priority, max_attempts, key, dedupe)

    @rule(target=claims, worker=workers)
    def make_claimed(self, worker: UUID) -> Any:
        """A submit that finds a free slot: claimed at once, unless something is ready."""
        ready = self.ready()
        job = new_job()
        made = self.queue.enqueue_claimed(job, self.wish(worker))
        entry = self.jobs[job.id] = Entry(job.id, self.moment(), 0, job.max_attempts, None, None)
        if any(other.key is None for other in ready):
            assert made == "queued"
        if not isinstance(made, Claim):  # be it for a job whose key has no room: that is found out when it is claimed
            assert any(other.status == "queued" for other in self.jobs.values() if other is not entry)
            return multiple()
        self.took(made, entry, worker)
        return made

    # --- out of the queue

    @staticmethod
    def wish(worker: UUID, limit: int = 1) -> Wish:
        return wish(worker, limit=limit)

    def took(self, claim: Claim, entry: Entry, worker: UUID) -> None:
        entry.status, entry.token, entry.worker, entry.expired = "running", claim.token, worker, False
        entry.attempts += 1
        self.taken.append(claim)
        assert claim.attempt == entry.attempts <= entry.max_attempts

    def check_claims(self, claims: list[Claim], worker: UUID, limit: int) -> Any:
        """Each claim is the next of its sort: nobody without a key, or with the same, is passed over; limits hold."""
        assert len(claims) <= limit
        if not claims:
            assert not self.ready(), "something could have been claimed"
        for number, claim in enumerate(claims):
            entry, ready = self.jobs[claim.id], self.ready()
            assert entry in ready
            for key in (None, entry.key):
                first = next((other for other in ready if other.key == key), entry)
                assert entry.turn() <= first.turn()
            assert entry.key is None or (number == 0 and len(claims) == 1)
            self.took(claim, entry, worker)
        return multiple(*claims)

    @rule(target=claims, worker=workers, limit=st.sampled_from([1, 1, 4]))
    def claim(self, worker: UUID, limit: int) -> Any:
        self.queue.release_stuck()
        return self.check_claims(self.queue.claim(self.wish(worker, limit)), worker, limit)

    @rule(target=claims, worker=workers, ended=st.lists(claims, max_size=3, unique_by=lambda claim: claim.token))
    def complete_and_claim(self, worker: UUID, ended: list[Claim]) -> Any:
        kept, following = self.queue.complete_and_claim([Ending(claim, "{}") for claim in ended], self.wish(worker))
        # Both happen in one snapshot: what ends there makes room, and is told, only for the next look.
        # Said twice, it is kept: the first answer may have been lost with a connection.
        assert kept == {claim.id for claim in ended if self.complete_in_model(claim) or self.is_completed(claim)}
        for claim in following:
            self.took(claim, self.jobs[claim.id], worker)
        return multiple(*following)

    # --- while it runs

    @rule(truthful=st.booleans())
    def renew(self, truthful: bool) -> None:
        """Whoever has ever had a claim, or only who lost it, says that he has it; believed are those who have."""
        told = [claim for claim in self.taken if truthful or self.holder(claim) is None]
        holders = [entry for claim in told if (entry := self.holder(claim))]
        assert self.queue.renew(told) == {entry.token: entry.cancel for entry in holders}
        for entry in holders:
            entry.expired = False

    @rule(claim=claims)
    def progress(self, claim: Claim) -> None:
        assert self.queue.progress(claim, 0.5, "half", None) is (self.holder(claim) is not None)

    @rule(worker=workers)
    def a_worker_falls_silent(self, worker: UUID) -> None:
        self.sql(
            "update jobs set lease_expires_at = now() - interval '1 s' where status = 'running' and worker_id = %s",
            str(worker),
        )
        for entry in self.jobs.values():
            entry.expired |= entry.worker == worker and entry.status == "running"

    @rule()
    def rescue(self) -> None:
        rescued = {}
        for entry in self.jobs.values():
            if entry.expired and entry.status == "running":
                entry.stopped("failed" if entry.attempts >= entry.max_attempts else "queued")
                entry.lost += 1
                rescued[entry.id] = (entry.status, entry.attempts)
        assert {row[0]: (row[2], row[3]) for row in self.queue.rescue()} == rescued

    # --- out of a worker's hands

    @rule(claim=claims)
    def complete(self, claim: Claim) -> None:
        """With a side effect in the same transaction, which must be there exactly when the completion is.

        Said twice, it is kept, and there is one side effect: the first answer may have been lost.
        """

        def side_effect(cursor: Any) -> None:
            cursor.execute("insert into ledger values (%s)", (str(claim.token),))

        if self.complete_in_model(claim):
            self.ledger.add(claim.token)
        kept = self.queue.complete(claim, '{"done": true}', callbacks=[side_effect])
        assert kept is self.is_completed(claim)

    @rule(claim=claims, way=st.sampled_from(["fail", "retry", "finish_cancelled", "give_back"]))
    def stop(self, claim: Claim, way: str) -> None:
        entry = self.holder(claim)
        if way == "retry" and claim.attempt >= claim.max_attempts:
            return  # whoever asks for it looks at that
        do: dict[str, Callable[[], Any]] = {
            "fail": lambda: self.queue.fail(claim, TROUBLE),
            "retry": lambda: self.queue.retry(claim, TROUBLE, 0),
            "finish_cancelled": lambda: self.queue.finish_cancelled(claim),
            "give_back": lambda: self.queue.give_back([claim]),
        }
        answer = do[way]()
        if entry is None:
            assert not answer
            return
        if way == "retry" and not entry.cancel:
            entry.due = self.moment()
        entry.attempts -= way == "give_back"
        token, worker = entry.token, entry.worker
        entry.stopped({"fail": "failed", "finish_cancelled": "cancelled"}.get(way, "queued"))
        if entry.status != "queued" and way != "give_back":  # who ended it stays on record
            entry.token, entry.worker = token, worker
        assert answer == ([claim.id] if way == "give_back" else entry.status)

    @rule(worker=workers)
    def hand_back(self, worker: UUID) -> None:
        held = [entry for entry in self.jobs.values() if entry.status == "running" and entry.worker == worker]
        assert set(self.queue.hand_back(worker)) == {entry.id for entry in held}
        for entry in held:
            entry.attempts -= 1
            entry.stopped("queued")

    # --- by somebody else

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if not self.jobs:
            return
        entry = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        answer = self.queue.cancel(entry.id)
        if entry.status in UNFINISHED:
            entry.cancel = True
            entry.status = "cancelled" if entry.status == "queued" else "running"
            assert answer == entry.status
        else:
            assert answer is None

    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        if not self.jobs:
            return
        entry = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        ended = entry.status in ("failed", "cancelled")
        if ended and entry.dedupe and self.has_unfinished(entry.dedupe):
            with pytest.raises(EqualIsUnfinished):
                requeue(self.queue, entry.id)
            return
        assert requeue(self.queue, entry.id) is ended
        if ended:
            entry.put_back("queued")
            entry.due, entry.attempts, entry.lost, entry.cancel = self.moment(), 0, 0, False

    # --- what holds at each step

    @invariant()
    def the_table_says_what_the_model_says(self) -> None:
        rows = self.sql(
            "select id::text, status, attempts, lost, claim_token::text, worker_id::text,"
            " cancel_requested_at is not null, (finished_at is null) = (status in ('queued', 'running')),"
            " (lease_expires_at is null) = (status <> 'running'), (result is not null) = (status = 'completed')"
            " from jobs"
        )
        found = {UUID(row[0]): (*row[1:4], *(value and UUID(value) for value in row[4:6]), row[6]) for row in rows}
        assert found == {entry.id: entry.seen() for entry in self.jobs.values()}
        assert all(all(row[7:]) for row in rows)
        assert {UUID(token) for (token,) in self.sql("select token::text from ledger")} == self.ledger


@pytest.fixture
def life(queue: Queue) -> Iterator[Callable[[], LifeOfJobs]]:
    """Makes machines, one for each walk."""
    with closing(psycopg2.connect(queue.url)) as connection:
        connection.autocommit = True
        connection.cursor().execute("create table ledger (token uuid primary key)")
        yield lambda: LifeOfJobs(queue, connection)


CAREFULLY: dict[str, Any] = {"deadline": None, "database": None, "report_multiple_bugs": False}
CAREFULLY["suppress_health_check"] = list(HealthCheck)


def test_short_walks(life: Callable[[], LifeOfJobs]) -> None:
    """The same ones each time."""
    walk(life, settings=settings(max_examples=100, stateful_step_count=40, derandomize=True, **CAREFULLY))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_long_walks(life: Callable[[], LifeOfJobs]) -> None:
    """Others each time; what fails is printed as the steps that lead there."""
    walk(life, settings=settings(max_examples=1500, stateful_step_count=80, print_blob=True, **CAREFULLY))
