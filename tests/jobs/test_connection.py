from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg2
import psycopg2.errors
import pytest

from tests.jobs.making import OWNER, rows
from thetool.database.connection import DatabaseUnavailable
from thetool.database.hang import HangGuard
from thetool.jobs.connection import QueueConnection


@pytest.fixture
def connection(database: str) -> Iterator[QueueConnection]:
    connection = QueueConnection(database)
    yield connection
    connection.close()


def cut(database: str) -> None:
    """End the queue's connection from the other side."""
    rows(database, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'thetool queue'")


def test_statements_are_prepared(connection: QueueConnection, database: str) -> None:
    connection.run("depth", {"limit": 1})
    connection.run("depth", {"limit": 2})
    with connection.transaction() as cursor:
        cursor.execute("select name, generic_plans + custom_plans from pg_prepared_statements")
        ((name, calls),) = cursor.fetchall()
    assert name.startswith("thetool_depth_")
    assert calls == 2


def test_a_cut_connection_is_replaced(connection: QueueConnection, database: str) -> None:
    connection.run("depth", {"limit": 1})
    for _ in range(3):
        cut(database)
        assert connection.run("depth", {"limit": 1}) == [(0,)]


def test_a_database_that_is_away_is_told_as_that(tmp_path: Any) -> None:
    away = QueueConnection(f"postgresql://postgres@/none?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable):
        away.run("depth", {"limit": 1})
    with pytest.raises(DatabaseUnavailable), away.transaction():
        raise AssertionError("there is no transaction")


def test_a_wrong_statement_is_not_tried_again(connection: QueueConnection) -> None:
    with pytest.raises(psycopg2.errors.InvalidTextRepresentation):
        connection.run("snapshot", {"id": "no uuid"})
    assert connection.run("depth", {"limit": 1}) == [(0,)]


def test_without_the_prepared_statement_plain_ones_are_used(connection: QueueConnection) -> None:
    """What a pooler in transaction mode does: the next statement runs on another server connection."""
    connection.run("depth", {"limit": 1})
    with connection.transaction() as cursor:
        cursor.execute("deallocate all")
    assert connection.run("depth", {"limit": 1}) == [(0,)]
    assert not connection.prepares
    assert connection.run("snapshot", {"id": uuid4()}) == []


def test_with_a_strangers_prepared_statement_plain_ones_are_used(connection: QueueConnection) -> None:
    connection.run("depth", {"limit": 1})
    connection._prepared.clear()
    assert connection.run("depth", {"limit": 1}) == [(0,)]
    assert not connection.prepares


def test_a_transaction_without_its_prepared_statement_may_be_tried_again(connection: QueueConnection) -> None:
    """Behind a pooler: told as a passing failure, so that who writes a job's end writes it again."""

    def count() -> list[Any]:
        with connection.transaction():
            return connection.run("depth", {"limit": 1})

    count()
    with connection.transaction() as cursor:
        cursor.execute("deallocate all")
    with pytest.raises(DatabaseUnavailable):
        count()
    assert count() == [(0,)]


def test_what_runs_in_a_transaction_belongs_to_it(connection: QueueConnection, database: str) -> None:
    worker = {
        "id": uuid4(),
        "host": "",
        "pid": 1,
        "version": "",
        "kinds": [],
        "slots": 1,
        "running": 0,
        "draining": False,
    }

    def fail_after_it() -> None:
        with connection.transaction():
            connection.run("heartbeat", worker)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_it()
    assert rows(database, "select count(*) from workers") == [(0,)]
    with connection.transaction():
        connection.run("heartbeat", worker)
        assert rows(database, "select count(*) from workers") == [(0,)]
    assert rows(database, "select count(*) from workers") == [(1,)]


def test_a_transaction_that_is_cut_is_told_and_not_repeated(connection: QueueConnection, database: str) -> None:
    def rename() -> None:
        with connection.transaction() as cursor:
            cursor.execute("update owners set name = 'cut' where id = %s", (OWNER,))
            cut(database)
            connection.run("depth", {"limit": 1})

    with pytest.raises(DatabaseUnavailable):
        rename()
    assert rows(database, "select name from owners") == [("master",)]
    assert connection.run("depth", {"limit": 1}) == [(0,)]


def test_a_postgres_that_hangs_holds_nobody_for_ever(
    connection: QueueConnection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QueueConnection, "_hang_guard", HangGuard(1))
    with connection.transaction() as cursor:
        cursor.execute("select pg_backend_pid()")
        ((backend,),) = cursor.fetchall()
    os.kill(backend, signal.SIGSTOP)
    try:
        assert connection.run("depth", {"limit": 1}) == [(0,)]
    finally:
        os.kill(backend, signal.SIGCONT)


def test_threads_take_turns(connection: QueueConnection) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(50):
                with connection.transaction():
                    assert connection.run("depth", {"limit": 1}) == [(0,)]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
