"""`thetool cleanup`, without a service."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from tests.cli.conftest import Run
from tests.jobs.making import rows
from thetool.database.embedded import EmbeddedServer

LIMIT = "insert into rate_limits values ('a', 1, now() - interval '1 hour')"


def test_cleanup_of_a_database(run: Run, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    rows(database, LIMIT)
    dry = run("cleanup", "--dry-run", "--json")
    assert dry.exit_code == 0, dry.stderr
    told = json.loads(dry.stdout)
    assert (told["removed"]["rate_limits"], told["dry_run"]) == (1, True)
    assert {"jobs", "analyses", "files"} <= told["removed"].keys()
    done = run("cleanup")
    assert done.exit_code == 0
    assert ["rate_limits", "1"] in [line.split() for line in done.stdout.splitlines()]
    assert rows(database, "select count(*) from rate_limits") == [(0,)]


def test_cleanup_starts_the_embedded_database_and_stops_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THETOOL_HOME", str(tmp_path / "home"))
    before = run("cleanup")
    assert before.exit_code == 1
    assert "thetool migrate" in before.stderr
    assert run("migrate").exit_code == 0
    server = EmbeddedServer(tmp_path / "home")
    server.start(max_connections=40)
    with closing(psycopg2.connect(server.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LIMIT)
    server.stop()
    told = json.loads(run("cleanup", "--json").stdout)
    assert told["removed"]["rate_limits"] == 1
    assert not EmbeddedServer(tmp_path / "home").is_running()


def test_cleanup_where_there_is_no_database(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    result = run("cleanup")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
