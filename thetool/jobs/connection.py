"""The queue's own connection: one a process, one statement at a time, prepared where Postgres is reached directly."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg2
import psycopg2.errors
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class in lower case
from psycopg2.extensions import register_adapter
from psycopg2.extras import UUID_adapter, register_uuid

from thetool.database.connection import DatabaseUnavailable, connect, is_unavailable
from thetool.database.hang import HangGuard
from thetool.database.prepared import LOST, Prepared
from thetool.jobs.queries import queries

Row = tuple[Any, ...]

STATEMENT_SECONDS = 30.0
LONGEST_USE_SECONDS = 60.0
VAIN_SECONDS = 0.3

# Left to itself, Postgres plans most of our statements anew each time, which costs more than they do. A plan that is
# kept must also be good when the table has grown from nothing to millions: by its indexes.
PLAN_ONCE = (
    "select set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false),"
    " pg_backend_pid()"
)

# So that other rooms' cursors take UUIDs too; what they give back stays as it is.
register_adapter(UUID, UUID_adapter)


class QueueConnection:
    """Runs the queries of queries.sql, from any thread; connects when first used, and again after Postgres was away.

    A statement is its own transaction, and is tried once more on a new connection when the old one broke. Behind a
    pooler in transaction mode a prepared statement is not there on the next server connection: from then on plain ones
    are used; and from the first in transactions, where nothing can be tried again.
    """

    def __init__(self, url: str, *, name: str = "queue") -> None:
        self._url = url
        self._name = name
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._prepared: set[str] = set()
        self._plain = False
        self._pooled = False
        self._in_transaction = False
        self._vain_until = 0.0
        self._vain_because = ""

    # Also where Postgres hangs and answers nothing, threads must not wait for ever.
    _hang_guard = HangGuard(LONGEST_USE_SECONDS)

    def run(self, name: str, parameters: Mapping[str, Any] | None = None, *, cursor: Any = None) -> list[Row]:
        """Run a query and give its rows; with another connection's `cursor`, there, as part of its transaction.

        Raises:
            DatabaseUnavailable: Postgres is away.
            psycopg2.Error: the statement is wrong, or what it says cannot be stored.
        """
        query, values = queries[name], parameters or {}
        if cursor is not None:
            cursor.execute(query.text, values)
            return list(cursor.fetchall()) if cursor.description else []
        with self._lock:
            if self._in_transaction:
                return self._execute(query, values)
            try:
                return self._again_if_broken(query, values)
            finally:
                self._hang_guard.end(self)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A cursor in a transaction of its own: what `run()` does inside the block belongs to it.

        Other threads wait meanwhile, so be quick. Nothing is tried again; an exception rolls everything back.

        Raises:
            DatabaseUnavailable: Postgres is away, or went away; then it is unknown whether the last commit was done.
        """
        with self._lock:
            try:
                connection = self._connected()
                self._hang_guard.begin(self, connection)
                with connection.cursor() as cursor:
                    cursor.execute("begin")
                    self._in_transaction = True
                    yield cursor
                    self._in_transaction = False
                    cursor.execute("commit")
            except psycopg2.Error as error:
                may_do_better = self._note(error)
                self._abandon()
                if may_do_better:
                    raise DatabaseUnavailable(str(error).strip()) from error
                raise
            except BaseException:
                self._abandon()
                raise
            finally:
                self._hang_guard.end(self)

    @contextmanager
    def taken(self, within: float) -> Iterator[bool]:
        """Have it for oneself, if that can be had within so many seconds; false while another thread keeps it."""
        ours = self._lock.acquire(timeout=within)
        try:
            yield ours
        finally:
            if ours:
                self._lock.release()

    def close(self) -> None:
        """Close the connection; a later `run()` opens another."""
        with self._lock:
            self._drop()

    @property
    def prepares(self) -> bool:
        """Whether statements are prepared; false behind a pooler in transaction mode."""
        return not self._plain

    def _again_if_broken(self, query: Prepared, values: Mapping[str, Any]) -> list[Row]:
        try:
            return self._execute(query, values)
        except psycopg2.Error as error:
            if not self._note(error):
                raise
        try:
            return self._execute(query, values)
        except psycopg2.Error as error:
            if self._note(error) and is_unavailable(error):
                raise DatabaseUnavailable(str(error).strip()) from error
            raise

    def _note(self, error: psycopg2.Error) -> bool:
        """Learn from an error; true when the same statement may do better now."""
        if isinstance(error, LOST):
            self._plain = True
            return True
        if isinstance(error, psycopg2.errors.DeadlockDetected):  # all is rolled back, and the others have gone on
            return True
        if is_unavailable(error):
            self._drop()
            return True
        return False

    def _execute(self, query: Prepared, values: Mapping[str, Any]) -> list[Row]:
        connection = self._connected()
        if not self._in_transaction:
            self._hang_guard.begin(self, connection)
        with connection.cursor() as cursor:
            if self._plain or (self._pooled and self._in_transaction):
                cursor.execute(query.text, values)
            else:
                if query.name not in self._prepared:
                    cursor.execute(query.prepare)
                    self._prepared.add(query.name)
                cursor.execute(query.execute, values)
            return cursor.fetchall() if cursor.description else []

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._open()
        return self._connection

    def _open(self) -> Connection:
        """Connect; who comes shortly after a vain attempt is told at once, because each may take 3 seconds."""
        if time.monotonic() < self._vain_until:
            raise DatabaseUnavailable(self._vain_because)
        self._prepared.clear()
        try:
            connection = connect(self._url, name=self._name, statement_seconds=STATEMENT_SECONDS)
        except DatabaseUnavailable as error:
            self._vain_until, self._vain_because = time.monotonic() + VAIN_SECONDS, str(error)
            raise
        register_uuid(conn_or_curs=connection)  # type: ignore[no-untyped-call]
        with connection.cursor() as cursor:
            cursor.execute(PLAN_ONCE)
            self._pooled = cursor.fetchall()[0][-1] != connection.info.backend_pid  # a pooler makes up its own
        return connection

    def _abandon(self) -> None:
        """End a transaction that failed; a connection that cannot even do that is closed."""
        self._in_transaction = False
        if self._connection is None:
            return
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("rollback")
        except psycopg2.Error:
            self._drop()

    def _drop(self) -> None:
        self._prepared.clear()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
