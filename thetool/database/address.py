"""Which Postgres to talk to."""

from __future__ import annotations

from thetool.config import Settings
from thetool.database.embedded import EmbeddedServer


def database_url(settings: Settings) -> str:
    """The `postgresql://` address for requests: `DATABASE_URL`, else the embedded server's (which may not run yet)."""
    return settings.database_url or EmbeddedServer(settings.home).dsn


def direct_url(settings: Settings) -> str:
    """The address for the queue, LISTEN, locks and migrations: `DATABASE_UNPOOLED_URL`, else `database_url()`.

    What lasts longer than one transaction does not work through a connection pooler.
    """
    return settings.database_unpooled_url or database_url(settings)


def uses_embedded(settings: Settings) -> bool:
    """Whether this process talks to the embedded server."""
    return settings.database_url is None


def sqlalchemy_url(url: str) -> str:
    """The same address for SQLAlchemy, whose default driver for `postgresql://` is another one."""
    return "postgresql+psycopg2://" + url.partition("://")[2]
