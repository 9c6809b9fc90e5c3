"""Whether a database has the newest schema, found out without Alembic: its import takes half a second of each start."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import psycopg2
import psycopg2.errors

from thetool.config import Settings
from thetool.database.address import direct_url

PACKAGE = Path(__file__).parents[1]
# Beside the package in a checkout; inside it where it was installed from a wheel (setup.py).
MIGRATIONS = next(folder for folder in (PACKAGE / "migrations", PACKAGE.parent / "migrations") if folder.is_dir())


def newest_revision() -> str:
    """The revision that no other migration comes after."""
    texts = [path.read_text() for path in (MIGRATIONS / "versions").glob("*.py")]
    made, replaced = (
        {found[1] for text in texts if (found := re.search(rf'^{name} = "(\w+)"$', text, re.MULTILINE))}
        for name in ("revision", "down_revision")
    )
    (newest,) = made - replaced
    return newest


def is_current(settings: Settings) -> bool:
    """Whether the database that the settings name has the newest schema.

    Raises:
        psycopg2.OperationalError: it cannot be reached.
    """
    with closing(psycopg2.connect(direct_url(settings), connect_timeout=3)) as connection:
        cursor = connection.cursor()
        try:
            cursor.execute("select version_num from alembic_version")
        except psycopg2.errors.UndefinedTable:
            return False
        return [row[0] for row in cursor.fetchall()] == [newest_revision()]
