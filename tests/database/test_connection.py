"""Connections: how they are set up, and that a database which comes back is used again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import psycopg2.errors
import pytest
import sqlalchemy as sa
import sqlalchemy.exc
from flask import Flask

from tests.database.conftest import kill_servers_of
from thetool.config import Settings
from thetool.database import connection as connection_module
from thetool.database.connection import DatabaseUnavailable, connect, init_app, is_unavailable
from thetool.database.embedded import EmbeddedServer
from thetool.database.hang import HangGuard
from thetool.database.orm import db


@pytest.fixture(scope="module")
def own_server(made_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    home = tmp_path_factory.mktemp("connection") / "home"
    subprocess.run(["cp", "-a", made_home, home], check=True)
    server = EmbeddedServer(home)
    yield server
    server.stop()
    kill_servers_of(home)


@pytest.fixture
def server(own_server: EmbeddedServer) -> EmbeddedServer:
    """A running server that may be stopped and frozen."""
    own_server.start(20)
    return own_server


@pytest.fixture
def flask_app(server: EmbeddedServer) -> Iterator[Flask]:
    """An app with nothing but a database."""
    app = Flask(__name__)
    init_app(app, Settings(DATABASE_URL=server.dsn, DATABASE_POOL_SIZE=2))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def ask(statement: str) -> object:
    """One request's worth of database: a transaction, and its connection given back."""
    try:
        return db.session.scalar(sa.text(statement))
    finally:
        db.session.remove()


def processes_of(server: EmbeddedServer) -> list[psutil.Process]:
    postmaster = server.cluster.postmaster()
    assert postmaster is not None
    return [postmaster, *postmaster.children(recursive=True)]


def test_a_plain_connection_is_autocommit_in_utc_and_says_what_it_is_for(database: str) -> None:
    with contextlib.closing(connect(database, name="queue", statement_seconds=1.5)) as connection:
        assert connection.autocommit
        with connection.cursor() as cursor:
            for setting, value in {
                "timezone": "UTC",
                "application_name": "thetool queue",
                "idle_in_transaction_session_timeout": "1min",
                "statement_timeout": "1500ms",
            }.items():
                cursor.execute(f"show {setting}")
                assert cursor.fetchone() == (value,)
            with pytest.raises(psycopg2.errors.QueryCanceled) as stopped:
                cursor.execute("select pg_sleep(60)")
            assert is_unavailable(stopped.value)


def test_the_pool_is_bounded_and_its_sessions_are_set_up(flask_app: Flask) -> None:
    assert ask("select current_setting('timezone')") == "UTC"
    assert ask("select current_setting('statement_timeout')") == "15s"
    assert ask("select current_setting('application_name')") == "thetool web"
    assert isinstance(db.engine.pool, sa.QueuePool)
    assert db.engine.pool.size() == 2
    assert db.engine.pool._max_overflow == 0


def test_nobody_waits_long_for_a_connection(flask_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.engine.pool, "_timeout", 0.1)
    with db.engine.connect(), db.engine.connect(), pytest.raises(sqlalchemy.exc.TimeoutError) as refused:
        db.engine.connect()
    assert is_unavailable(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres@/postgres?host=/nowhere",
        "postgresql://postgres@127.0.0.1:1/postgres",
        "postgresql://postgres@name.invalid/postgres",
    ],
)
def test_a_database_that_is_away_is_said_to_be(url: str) -> None:
    with pytest.raises(DatabaseUnavailable) as away:
        connect(url, name="test")
    assert is_unavailable(away.value)


def test_errors_of_statements_do_not_mean_that_the_database_is_away(flask_app: Flask) -> None:
    for statement in ("select 1/0", "select nonsense", "select * from nowhere", "select 'x'::int", "selec"):
        with pytest.raises(sqlalchemy.exc.DBAPIError) as wrong:
            ask(statement)
        assert not is_unavailable(wrong.value)
    assert not is_unavailable(ValueError("other"))


def test_a_restart_of_postgres_costs_no_request(flask_app: Flask, server: EmbeddedServer) -> None:
    with db.engine.connect() as first, db.engine.connect() as second:
        before = {first.scalar(sa.text("select pg_backend_pid()")), second.scalar(sa.text("select pg_backend_pid()"))}
    server.stop()
    server.start(20)
    assert ask("select pg_backend_pid()") not in before
    assert ask("select pg_backend_pid()") not in before


def test_while_postgres_is_away_it_is_said_at_once_and_when_it_is_back_all_is_well(
    flask_app: Flask, server: EmbeddedServer
) -> None:
    assert ask("select 1") == 1
    server.stop()
    for _ in range(5):
        with pytest.raises(sqlalchemy.exc.OperationalError) as away:
            ask("select 1")
        assert is_unavailable(away.value)
    server.start(20)
    assert ask("select 1") == 1


def test_a_killed_backend_breaks_one_transaction_and_heals(flask_app: Flask, server: EmbeddedServer) -> None:
    pid = db.session.scalar(sa.text("select pg_backend_pid()"))
    with contextlib.closing(connect(server.dsn, name="killer")) as killer, killer.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(%s, 5000)", (pid,))
    with pytest.raises(sqlalchemy.exc.OperationalError) as broken:
        db.session.scalar(sa.text("select 1"))
    assert is_unavailable(broken.value)
    db.session.remove()
    assert ask("select 1") == 1


def test_a_full_server_counts_as_away(server: EmbeddedServer) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(contextlib.closing(connect(server.dsn, name="one of many")))
        with pytest.raises(DatabaseUnavailable, match="too many"):
            connect(server.dsn, name="one too many")


def test_who_waits_for_a_postgres_that_hangs_is_set_free(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_hang_guard", HangGuard(0.5))
    app = Flask(__name__)
    init_app(app, Settings(DATABASE_URL=server.dsn, DATABASE_POOL_SIZE=1))
    with app.app_context():
        assert ask("select 1") == 1
        frozen = processes_of(server)
        try:
            for process in frozen:
                process.send_signal(signal.SIGSTOP)
            with pytest.raises(sqlalchemy.exc.OperationalError) as hanging:
                ask("select 1")
            assert is_unavailable(hanging.value)
            with pytest.raises(sqlalchemy.exc.OperationalError) as away:
                ask("select 1")
            assert is_unavailable(away.value), "a new connection is given up after 3 seconds"
        finally:
            for process in frozen:
                process.send_signal(signal.SIGCONT)
        assert ask("select 1") == 1
        db.engine.dispose()


def test_the_guard_leaves_alone_what_was_given_back(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "_hang_guard", guard := HangGuard(0.2))
    app = Flask(__name__)
    init_app(app, Settings(DATABASE_URL=server.dsn, DATABASE_POOL_SIZE=1))
    with app.app_context():
        pid = ask("select pg_backend_pid()")
        assert guard._in_use == {}
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            assert ask("select pg_backend_pid()") == pid
            time.sleep(0.05)
        db.engine.dispose()


def test_connections_work_with_many_open_files(flask_app: Flask) -> None:
    assert ask("select 1") == 1
    with contextlib.ExitStack() as stack:
        try:
            for _ in range(1100):
                stack.enter_context(open(os.devnull))
        except OSError:
            pytest.skip("this user may not open as many files")
        db.engine.dispose()
        assert ask("select 1") == 1
        assert ask("select 1") == 1
