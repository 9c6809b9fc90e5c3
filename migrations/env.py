"""Alembic's entry: `alembic upgrade head` and `thetool.database.migrate.upgrade()` both come through here."""

from alembic import context

from thetool.config import load_settings
from thetool.database.migrate import locked_connection


def run(connection):
    # the migrations are written by hand: no metadata
    context.configure(connection=connection, on_version_apply=context.config.attributes.get("applied"))
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with locked_connection(load_settings()) as connection:
        run(connection)
