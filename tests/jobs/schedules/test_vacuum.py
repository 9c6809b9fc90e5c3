from __future__ import annotations

import threading
import time
from contextlib import closing

import psycopg2
import psycopg2.errors
import pytest

from tests.jobs.making import new_job, rows, until
from thetool.config import Settings
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.queue import Queue
from thetool.jobs.schedules.registry import Round
from thetool.jobs.schedules.vacuum import BUSY_SECONDS, DEAD_ROWS, IDLE_SECONDS, dead_rows, vacuum, worn


@pytest.fixture
def turn(queue: Queue, settings: Settings) -> Round:
    """A round of a clock; autovacuum leaves the table to us."""
    rows(queue.url, "alter table jobs set (autovacuum_enabled = false)")
    return Round(queue, settings)


def wear(queue: Queue) -> None:
    """Leave more dead rows in `jobs` than are left alone."""
    queue.enqueue_many([new_job() for _ in range(DEAD_ROWS + 100)])
    rows(queue.url, "delete from jobs; select pg_stat_force_next_flush()")
    until(lambda: worn(queue) == ["jobs"], "Postgres has heard of it")


def test_worn_tables_are_cleared(turn: Round, queue: Queue) -> None:
    assert vacuum(turn) == IDLE_SECONDS
    wear(queue)
    assert vacuum(turn) >= BUSY_SECONDS
    until(lambda: {table: dead for table, dead, _ in dead_rows(queue)}["jobs"] == 0, "no dead rows are left")
    assert vacuum(turn) == IDLE_SECONDS


def test_a_table_that_somebody_locks_is_left_alone(turn: Round, queue: Queue) -> None:
    wear(queue)
    with closing(psycopg2.connect(queue.url)) as other, other.cursor() as cursor:
        cursor.execute("lock table jobs in share update exclusive mode")
        assert vacuum(turn) >= BUSY_SECONDS
        assert worn(queue) == ["jobs"]


def test_when_the_worker_leaves_what_runs_is_cancelled(turn: Round) -> None:
    began, ended = threading.Event(), []

    def errand() -> None:
        with turn.connection("errand") as connection, connection.cursor() as cursor:
            began.set()
            try:
                cursor.execute("select pg_sleep(60)")
            except psycopg2.errors.QueryCanceled:
                ended.append(time.monotonic())

    thread = threading.Thread(target=errand)
    thread.start()
    began.wait(30)
    until(lambda: turn.close() or ended, "it ends")  # type: ignore[func-returns-value]
    thread.join(30)
    assert not thread.is_alive()


def test_what_a_leaving_worker_breaks_off_is_no_error(turn: Round) -> None:
    def errand() -> None:
        with turn.connection("errand") as connection, connection.cursor() as cursor:
            threading.Timer(1, turn.close).start()
            cursor.execute("select pg_sleep(60)")

    with pytest.raises(DatabaseUnavailable, match="leaves"):
        errand()
    with pytest.raises(DatabaseUnavailable, match="leaves"), turn.connection("late"):
        pass


def test_a_worker_can_leave_without_postgres(turn: Round) -> None:
    class Broken:
        def cancel(self) -> None:
            raise psycopg2.OperationalError("no connection")

    turn._open.add(Broken())  # type: ignore[arg-type]
    turn.close()
