"""Connections to Postgres, and what it means when they fail."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

import psycopg2
import sqlalchemy as sa
import sqlalchemy.exc
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class whose name is in lower case

from thetool.config import Settings
from thetool.database.address import database_url, sqlalchemy_url
from thetool.database.hang import HangGuard

if TYPE_CHECKING:
    from flask import Flask

POOL_WAIT_SECONDS = 5
WEB_STATEMENT_SECONDS = 15
# A connection of the pool serves one short transaction; longer than this, and Postgres is taken to hang.
LONGEST_USE_SECONDS = 30
IDLE_IN_TRANSACTION_SECONDS = 60
KEEPALIVE = {
    "connect_timeout": 3,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# Classes and states in which Postgres, or the way to it, is gone for the moment (its manual, appendix A).
AWAY_CLASSES = {"08"}  # connection exception
AWAY_STATES = {
    "57P01",  # shut down
    "57P02",  # crashed
    "57P03",  # starting up
    "57P05",  # idle session ended
    "25P03",  # idle in transaction ended
    "53300",  # too many connections
    "57014",  # statement timeout
}

_hang_guard = HangGuard(LONGEST_USE_SECONDS)


class DatabaseUnavailable(Exception):  # noqa: N818 - a state, not a mistake
    """Postgres cannot be reached at the moment."""

    code = "database_unavailable"


def connect(url: str, *, name: str, statement_seconds: float = 0) -> Connection:
    """Open a plain connection in autocommit mode, its times in UTC.

    Args:
        url: `postgresql://` address.
        name: what the connection is for, as `pg_stat_activity` shows it.
        statement_seconds: how long one statement may take; 0 is no limit.

    Raises:
        DatabaseUnavailable: Postgres does not answer within 3 seconds, or refuses.
    """
    try:
        connection: Connection = psycopg2.connect(url, **_arguments(name))
        connection.autocommit = True
        _set_up_session(connection, statement_seconds)
    except psycopg2.OperationalError as error:
        raise DatabaseUnavailable(str(error).strip()) from error
    return connection


def _arguments(name: str) -> dict[str, Any]:
    return {"application_name": f"thetool {name}", **KEEPALIVE}


def _set_up_session(connection: Connection, statement_seconds: float) -> None:
    """Set what a connection starts with, by SQL: poolers refuse options in the start-up packet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select set_config('timezone', 'UTC', false),"
            " set_config('idle_in_transaction_session_timeout', %s, false), set_config('statement_timeout', %s, false)",
            (f"{IDLE_IN_TRANSACTION_SECONDS}s", f"{round(statement_seconds * 1000)}ms"),
        )


def init_app(app: Flask, settings: Settings) -> None:
    """Give the app its `db.session`, on a pool of `DATABASE_POOL_SIZE` connections a process.

    A connection that Postgres has closed is replaced when it is taken from the pool, so that a restart of Postgres
    costs no request. A statement ends after 15 s; where Postgres hangs, its connection is broken off after 30 s.
    """
    from thetool.database.orm import db  # here, because the queue uses this module without Flask

    app.config["SQLALCHEMY_DATABASE_URI"] = sqlalchemy_url(database_url(settings))
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": POOL_WAIT_SECONDS,
        "use_native_hstore": False,
        "connect_args": _arguments("web"),
    }
    db.init_app(app)
    with app.app_context():
        pool = db.engine.pool
    sa.event.listen(pool, "connect", _on_connect)
    sa.event.listen(pool, "checkout", _refuse_closed)
    _hang_guard.watch(pool)


def _on_connect(connection: Connection, record: object) -> None:
    connection.autocommit = True
    _set_up_session(connection, WEB_STATEMENT_SECONDS)
    connection.autocommit = False


def _refuse_closed(connection: Connection, record: object, proxy: object) -> None:
    """Take no connection whose other end has said good-bye: 2 µs, where `pool_pre_ping` costs a round trip.

    Raises:
        InvalidatePoolError: SQLAlchemy opens a new one, and takes the others of that age for closed too.
    """
    poll = select.poll()  # select() itself takes no file numbers above 1023
    if not connection.closed:
        poll.register(connection.fileno(), select.POLLIN)
    if connection.closed or poll.poll(0):
        raise sqlalchemy.exc.InvalidatePoolError


def is_unavailable(error: BaseException) -> bool:
    """Whether the error says that Postgres is away (restarting, hanging, full), not that SQL is wrong."""
    if isinstance(error, DatabaseUnavailable | sqlalchemy.exc.TimeoutError):
        return True
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_unavailable(error.orig))
    if isinstance(error, psycopg2.InterfaceError):
        return True
    if isinstance(error, psycopg2.OperationalError):
        state = error.pgcode
        return state is None or state[:2] in AWAY_CLASSES or state in AWAY_STATES
    return False
