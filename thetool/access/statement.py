"""One statement that is its own transaction, for what nearly every request asks: looking up its key, counting it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from thetool.database import prepared
from thetool.database.hang import HangGuard
from thetool.database.orm import db

PLAIN = "thetool_plain"
"""Where the pool notes that a connection's statements cannot be prepared."""


LONGEST_SECONDS = 3
"""Each of these reads or writes one row; longer, and Postgres is taken to hang: nearly every request waits for one."""

_hang_guard = HangGuard(LONGEST_SECONDS)


def first_row(statement: str, *, engine: Engine | None = None, **values: Any) -> tuple[Any, ...] | None:
    """Run a statement on a connection of the pool, committed at once; its first row, None when it gives none.

    A third of the time that a session takes: no BEGIN, no COMMIT, no ORM, and no plan but the first time.

    Args:
        statement: with `%(name)s` parameters.
        engine: whose pool; without it that of the application, whose context this then needs.
        values: of the parameters.

    Raises:
        psycopg2.Error: the statement failed, or Postgres is away.
        sqlalchemy.exc.SQLAlchemyError: no connection could be had.
    """
    pooled = (engine or db.engine).raw_connection()
    connection: Any = pooled.driver_connection
    try:
        _hang_guard.begin(pooled, connection)
        connection.autocommit = True
        return _row(connection, pooled.info, prepared.prepared(statement), values)
    finally:
        _hang_guard.end(pooled)
        if connection.closed:
            pooled.invalidate()
        else:
            connection.autocommit = False
        pooled.close()


def _row(
    connection: Any, of_connection: dict[Any, Any], statement: prepared.Prepared, values: dict[str, Any]
) -> tuple[Any, ...] | None:
    """Run the statement, prepared where Postgres is reached directly."""
    with connection.cursor() as cursor:
        if not of_connection.get(PLAIN):
            try:
                if statement.name not in of_connection:
                    cursor.execute(statement.prepare)
                    of_connection[statement.name] = True
                cursor.execute(statement.execute, values)
                return _first(cursor)
            except prepared.LOST:
                of_connection[PLAIN] = True
        cursor.execute(statement.text, values)
        return _first(cursor)


def _first(cursor: Any) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = cursor.fetchone() if cursor.description else None
    return row
