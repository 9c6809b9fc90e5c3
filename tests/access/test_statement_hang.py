"""The statement that nearly every request waits for, while Postgres hangs."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest
import sqlalchemy.exc
from flask import Flask

from thetool.access.statement import first_row
from thetool.config import Settings
from thetool.database.connection import init_app, is_unavailable
from thetool.database.embedded import EmbeddedServer
from thetool.database.orm import db


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="thetool-tests-") as folder:
        server = EmbeddedServer(Path(folder))
        server.start(max_connections=20)
        yield server
        server.stop()


def test_a_postgres_that_hangs_is_given_up_soon(server: EmbeddedServer) -> None:
    app = Flask(__name__)
    init_app(app, Settings(DATABASE_URL=server.dsn, DATABASE_POOL_SIZE=1))
    with app.app_context():
        assert first_row("select 1") == (1,)
        postmaster = server.cluster.postmaster()
        assert postmaster is not None
        frozen = [postmaster, *postmaster.children(recursive=True)]
        began = time.monotonic()
        try:
            _send(frozen, signal.SIGSTOP)
            with pytest.raises((sqlalchemy.exc.SQLAlchemyError, psycopg2.Error)) as hanging:
                first_row("select 1")
            assert is_unavailable(hanging.value)
            assert time.monotonic() - began < 15, "and not the half minute that other statements may take"
        finally:
            _send(frozen, signal.SIGCONT)
        assert first_row("select 1") == (1,)
        db.engine.dispose()


def _send(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        process.send_signal(number)
