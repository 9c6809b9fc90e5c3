"""Bring a database to the newest schema, once, however many processes start at the same time."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

import alembic.command
import alembic.config
import alembic.util
import psycopg2.errors
import sqlalchemy as sa
import sqlalchemy.exc

from thetool.config import Settings
from thetool.database.address import direct_url, sqlalchemy_url
from thetool.database.connection import KEEPALIVE, is_unavailable
from thetool.database.embedded import available
from thetool.database.schema import MIGRATIONS

LOCK = 7_236_001_001  # any number, the same in each version
LOCK_SECONDS = 600
STATEMENT_LOCK_TIMEOUT = "10s"  # a migration that waits for a busy table must not make all others wait behind it


_log = logging.getLogger(__name__)


class MigrationError(Exception):
    """The database could not be migrated; the message says why and how to mend it."""

    code = "migration_failed"


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Migrate the database that `settings` name, starting the embedded server for it where that is the one.

    Raises:
        MigrationError, EmbeddedPostgresError: with what to do.
    """
    try:
        with locked_connection(settings) as connection:
            upgrade_connection(connection, revision)
    except sqlalchemy.exc.DBAPIError as error:
        raise MigrationError(_explained(error)) from error
    except alembic.util.CommandError as error:
        raise MigrationError(
            f"{error}. The database was migrated by a newer version than this one: deploy that version, "
            "or go back to a backup from before it."
        ) from error


def _explained(error: sqlalchemy.exc.DBAPIError) -> str:
    """One line about what went wrong, and one step that mends it."""
    what = str(error.orig).strip().splitlines()[0]
    if isinstance(error.orig, psycopg2.errors.LockNotAvailable):
        return f"A table was busy for {STATEMENT_LOCK_TIMEOUT} ({what}). Nothing was changed; try again later."
    if is_unavailable(error):
        return f"The database cannot be reached ({what}). Check DATABASE_URL, and that Postgres runs and lets you in."
    return f"A migration failed ({what}). It was rolled back; the service of the version before goes on working."


def upgrade_connection(connection: sa.Connection, revision: str = "head") -> None:
    """Run the migrations up to the revision on an open connection; one line of the log tells how many."""
    applied: list[object] = []
    configuration = _configuration(connection)
    configuration.attributes["applied"] = lambda step, **_: applied.append(step)
    alembic.command.upgrade(configuration, revision)
    if applied:
        _log.info("Database ready: %s applied", "1 migration" if len(applied) == 1 else f"{len(applied)} migrations")


def downgrade_connection(connection: sa.Connection, revision: str) -> None:
    """Take the migrations after the revision back on an open connection."""
    alembic.command.downgrade(_configuration(connection), revision)


def _configuration(connection: sa.Connection) -> alembic.config.Config:
    config = alembic.config.Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


@contextlib.contextmanager
def locked_connection(settings: Settings) -> Iterator[sa.Connection]:
    """The only connection that migrates at this time."""
    with available(settings):
        engine = sa.create_engine(
            sqlalchemy_url(direct_url(settings)),
            poolclass=sa.NullPool,
            connect_args={"application_name": "thetool migrations", **KEEPALIVE},
        )
        with engine.connect() as connection:
            _take_lock(connection)
            connection.exec_driver_sql(f"set lock_timeout = '{STATEMENT_LOCK_TIMEOUT}'")
            connection.commit()
            yield connection


def _take_lock(connection: sa.Connection) -> None:
    """Ask again and again: a statement that waits holds a snapshot, and `create index concurrently` waits for those."""
    deadline = time.monotonic() + LOCK_SECONDS
    while not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(LOCK))):
        connection.rollback()
        if time.monotonic() > deadline:
            raise MigrationError(
                f"Another process has been migrating this database for {LOCK_SECONDS} s; "
                "look for 'thetool migrations' in pg_stat_activity, and try again when it is gone."
            )
        time.sleep(0.2)
    connection.commit()
