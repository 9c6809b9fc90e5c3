"""What health says about Postgres: whether it answers, and how many connections are in use."""

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


class MigrationsMissingError(Exception):
    """The database answers, but its tables were never made."""


def register(app: Flask) -> None:
    """Watch the database of `app`; the service is not ready without it."""

    def probe() -> Mapping[str, Any]:
        with app.app_context():
            engine = db.engine
        try:
            with engine.connect() as connection:
                return dict(connection.execute(_question).mappings().one())
        except ProgrammingError as error:
            raise MigrationsMissingError("the tables are missing: run `python db_migrations.py`") from error

    register_probe("database", probe, required=True)
