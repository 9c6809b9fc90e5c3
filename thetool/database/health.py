"""What health says about Postgres: whether it answers, how many connections are in use, who holds back VACUUM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from thetool.database.orm import db
from thetool.telemetry.health import register_probe

_question = text(
    """select current_setting('server_version') as server_version,
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
            as connections_limit,
        (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections_used,
        (select version_num from alembic_version) as migration"""
)

# While a transaction is open, what it may want to see is not cleared, in no table: an idle one makes claims ten times
# slower within a minute. VACUUM itself does not count; only transactions of this database do, and those of standbys.
_oldest_transaction = text(
    """select application_name, pid, state, extract(epoch from now() - xact_start)::float8 as seconds,
        greatest(age(backend_xmin), age(backend_xid)) as transactions
    from pg_stat_activity
    where (backend_xmin is not null or backend_xid is not null) and pid <> pg_backend_pid()
        and (datname = current_database() or backend_type = 'walsender')
        and not exists (select from pg_stat_progress_vacuum as vacuum where vacuum.pid = pg_stat_activity.pid)
    union all
    select 'prepared transaction ' || gid, null, 'prepared', extract(epoch from now() - prepared)::float8,
        age(transaction)
    from pg_prepared_xacts where database = current_database()
    union all
    select 'replication slot ' || slot_name, active_pid, case when active then 'active' else 'inactive' end, null,
        age(xmin)
    from pg_replication_slots where xmin is not null
    order by transactions desc, seconds desc nulls last limit 1"""
)
LONG_SECONDS = 60
MANY_TRANSACTIONS = 1_000_000


class MigrationsMissingError(Exception):
    """The database answers, but its tables were never made."""


def register(app: Flask) -> None:
    """Watch the database of `app`; the service is not ready without it."""

    def probe() -> Mapping[str, Any]:
        with app.app_context():
            engine = db.engine
        try:
            with engine.connect() as connection:
                found = dict(connection.execute(_question).mappings().one())
                row = connection.execute(_oldest_transaction).one_or_none()
        except ProgrammingError as error:
            raise MigrationsMissingError("the tables are missing: run `python db_migrations.py`") from error
        oldest = row._asdict() if row is not None else None
        return found | {"oldest_transaction": oldest, "warnings": _warnings(oldest)}

    register_probe("database", probe, required=True)


def _warnings(oldest: Mapping[str, Any] | None) -> list[str]:
    """What to say about the transaction that holds back VACUUM the longest."""
    if oldest is None:
        return []
    seconds, transactions = oldest["seconds"] or 0, oldest["transactions"] or 0
    if seconds <= LONG_SECONDS and transactions <= MANY_TRANSACTIONS:
        return []
    who = f"{oldest['application_name'] or 'a connection without a name'} (pid {oldest['pid']}, {oldest['state']})"
    since = f"for {seconds:.0f} s" if oldest["seconds"] is not None else f"over {transactions:,} transactions"
    return [f"{who} holds back VACUUM {since}; claims become slow"]
