"""Migrations: once however many start, clear when they fail, and the same schema as the records."""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import alembic.autogenerate
import alembic.migration
import alembic.script
import psycopg2
import pytest
import sqlalchemy as sa

import thetool
from tests.database.conftest import REPOSITORY
from thetool.config import Settings
from thetool.database import migrate
from thetool.database.address import sqlalchemy_url
from thetool.database.embedded import EmbeddedServer
from thetool.database.migrate import MigrationError, locked_connection, upgrade
from thetool.database.orm import Record
from thetool.database.schema import MIGRATIONS, is_current, newest_revision

OK = "[OK] Database migrations completed\n"


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "PG_BIN": os.environ.get("PG_BIN", "")} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def ask(url: str, statement: str) -> Any:
    with contextlib.closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone() if cursor.description else None


def test_five_processes_at_once_migrate_once(empty_database: str) -> None:
    environment = os.environ | {"DATABASE_URL": empty_database}
    command = [sys.executable, "db_migrations.py"]
    started = [
        subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(5)
    ]
    assert [process.communicate(timeout=120)[0] for process in started] == [OK] * 5
    assert ask(empty_database, "select count(*) from owners") == (1,)


@pytest.mark.parametrize("command", [("db_migrations.py",), ("-m", "alembic", "upgrade", "head")])
def test_without_an_address_the_embedded_server_is_migrated_and_stopped(
    used_home: Path, command: tuple[str, ...]
) -> None:
    done = run(*command, THETOOL_HOME=str(used_home))
    assert done.returncode == 0, done.stderr
    server = EmbeddedServer(used_home)
    assert not server.is_running()
    server.start(20)
    try:
        assert ask(server.dsn, "select count(*) from owners") == (1,)
        assert run(*command, THETOOL_HOME=str(used_home)).returncode == 0
        assert server.is_running(), "who did not start it does not stop it"
    finally:
        server.stop()


def test_it_can_be_repeated_from_any_folder(database: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "db_migrations.py")],
        cwd=tmp_path,
        env=os.environ | {"DATABASE_URL": database},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == OK, done.stderr


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/none"}, "cannot be reached"),
        ({"DATABASE_URL": "mysql://127.0.0.1/none"}, "DATABASE_URL"),
        ({"THETOOL_HOME": "/dev/null/home"}, "THETOOL_HOME"),
    ],
)
def test_a_failure_is_one_line_that_says_what_to_do(environment: dict[str, str], expected: str) -> None:
    done = run("db_migrations.py", **environment)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("[FAILED] ")
    assert len(done.stderr.splitlines()) == 1
    assert expected in done.stderr


def test_a_database_of_a_newer_version_is_left_alone(database: str) -> None:
    ask(database, "update alembic_version set version_num = '9999'")
    with pytest.raises(MigrationError, match="newer version"):
        upgrade(Settings(DATABASE_URL=database))


def test_a_busy_table_is_not_waited_for_long(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "STATEMENT_LOCK_TIMEOUT", "50ms")
    settings = Settings(DATABASE_URL=database)
    ask(database, "delete from alembic_version")
    ask(database, "drop table owners cascade")
    with contextlib.closing(psycopg2.connect(database)) as busy:
        busy.cursor().execute("lock table alembic_version in access exclusive mode")
        with pytest.raises(MigrationError, match=r"was busy.*try again"):
            upgrade(settings)


def test_a_migration_that_fails_changes_nothing(database: str) -> None:
    ask(database, "delete from alembic_version")
    ask(database, "drop table owners cascade")
    with pytest.raises(MigrationError, match=r"already exists.*rolled back"):
        upgrade(Settings(DATABASE_URL=database))
    assert ask(database, "select to_regclass('owners')") == (None,)


def test_who_waits_for_the_lock_gives_up_in_the_end(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 0)
    settings = Settings(DATABASE_URL=database)
    with locked_connection(settings), pytest.raises(MigrationError, match="pg_stat_activity"):
        upgrade(settings)
    upgrade(settings)


def test_it_can_be_taken_back_and_done_again(database: str) -> None:
    settings = Settings(DATABASE_URL=database)
    with locked_connection(settings) as connection:
        migrate.downgrade_connection(connection, "base")
    assert ask(database, "select to_regclass('jobs')") == (None,)
    upgrade(settings)
    assert ask(database, "select count(*) from jobs") == (0,)


def test_the_records_match_the_migrated_schema(database: str) -> None:
    for module in pkgutil.iter_modules(thetool.__path__):
        if module.ispkg and (Path(thetool.__path__[0]) / module.name / "records.py").exists():
            importlib.import_module(f"thetool.{module.name}.records")
    engine = sa.create_engine(sqlalchemy_url(database), poolclass=sa.NullPool)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": False}
        context = alembic.migration.MigrationContext.configure(connection, opts=options)
        differences = alembic.autogenerate.compare_metadata(context, Record.metadata)
    assert Record.metadata.tables, "no records were found"
    # The migration alone knows the indexes, and what is used by plain SQL only.
    assert [difference for difference in differences if not only_in_the_database(difference)] == []


def only_in_the_database(difference: Any) -> bool:
    return not isinstance(difference, list) and difference[0] in {
        "remove_table",
        "remove_column",
        "remove_index",
        "remove_constraint",
        "remove_fk",
    }


def test_whether_the_schema_is_the_newest_is_known_without_alembic(database: str, empty_database: str) -> None:
    assert is_current(Settings(DATABASE_URL=database))
    assert not is_current(Settings(DATABASE_URL=empty_database))
    ask(database, "update alembic_version set version_num = '0000'")
    assert not is_current(Settings(DATABASE_URL=database))
    assert [newest_revision()] == alembic.script.ScriptDirectory(str(MIGRATIONS)).get_heads()
    light = "import sys, thetool.database.schema; sys.exit('alembic' in sys.modules or 'sqlalchemy' in sys.modules)"
    assert run("-c", light).returncode == 0
