"""Connections to Postgres, and what it means when they fail."""

from __future__ import annotations

import psycopg2
import psycopg2.extensions
import sqlalchemy.exc
from flask import Flask

from thetool.config import Settings
from thetool.database.address import database_url, sqlalchemy_url
from thetool.database.orm import db

POOL_WAIT_SECONDS = 5
IDLE_IN_TRANSACTION = "60s"
KEEPALIVE = {
    "connect_timeout": 3,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


class DatabaseUnavailable(Exception):
    """Postgres cannot be reached at the moment."""

    code = "database_unavailable"


def connect(url: str, *, name: str) -> psycopg2.extensions.connection:
    """Open a plain connection in autocommit mode.

    Args:
        url: `postgresql://` address.
        name: what the connection is for, as `pg_stat_activity` shows it.

    Raises:
        DatabaseUnavailable: Postgres does not answer within 3 seconds, or refuses.
    """
    try:
        connection = psycopg2.connect(url, application_name=f"thetool {name}", **KEEPALIVE)
    except psycopg2.OperationalError as error:
        raise DatabaseUnavailable(str(error).strip()) from error
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("select set_config('idle_in_transaction_session_timeout', %s, false)", (IDLE_IN_TRANSACTION,))
    return connection


def init_app(app: Flask, settings: Settings) -> None:
    """Give the app its `db.session`, on a pool of `DATABASE_POOL_SIZE` connections a process."""
    app.config["SQLALCHEMY_DATABASE_URI"] = sqlalchemy_url(database_url(settings))
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": POOL_WAIT_SECONDS,
        "pool_pre_ping": True,
        "use_native_hstore": False,
        "connect_args": {"application_name": "thetool web", **KEEPALIVE},
    }
    db.init_app(app)


def is_unavailable(error: BaseException) -> bool:
    """Whether the error says that Postgres is away (restarting, unreachable, out of connections), not that a statement was wrong."""
    if isinstance(error, DatabaseUnavailable | sqlalchemy.exc.TimeoutError):
        return True
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_unavailable(error.orig))
    if isinstance(error, psycopg2.InterfaceError):
        return True
    if isinstance(error, psycopg2.OperationalError):
        state = error.pgcode
        return state is None or state[:2] == "08" or state in {"57P01", "57P02", "57P03", "53300", "57014"}
    return False
