"""`python db_migrations.py`: bring the database to the newest schema; safe at every deploy, and in several at once."""

import sys

from thetool.config import SettingsError, load_settings
from thetool.database.embedded import EmbeddedPostgresError
from thetool.database.migrate import MigrationError, upgrade


def main() -> int:
    """Migrate; returns the exit status."""
    try:
        upgrade(load_settings())
    except (SettingsError, EmbeddedPostgresError, MigrationError) as error:
        print(f"[FAILED] {error}", file=sys.stderr)
        return 1
    print("[OK] Database migrations completed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
