"""`thetool cleanup`: removes what is over, with a running service or without one."""

from __future__ import annotations

import click

from thetool.cli.problems import CommandFailed
from thetool.cli.service import settings_here
from thetool.cli.show import print_json, print_table


@click.command()
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@click.option("--json", "as_json", is_flag=True, help="Print what was removed in JSON.")
def cleanup(dry_run: bool, as_json: bool) -> None:
    """Remove what is over: old jobs, results, files, limits. A running service does so itself, every five minutes.

    Works on the database itself, so it needs no running service: for a cron of your own.
    """
    import psycopg2

    from thetool.database.connection import DatabaseUnavailable
    from thetool.database.embedded import EmbeddedPostgresError, available
    from thetool.database.schema import is_current

    settings = settings_here()
    try:
        with available(settings):
            if not is_current(settings):
                raise CommandFailed("The database has not the newest schema. Run: thetool migrate")
            from thetool.app import create_app
            from thetool.jobs.schedules.cleanup import cleanup as clean

            create_app(settings)  # the rooms say what there is to remove
            done = clean(settings, dry_run=dry_run)
    except (EmbeddedPostgresError, DatabaseUnavailable, psycopg2.OperationalError) as error:
        raise CommandFailed(str(error).strip()) from error
    if as_json:
        print_json(done.model_dump())
    else:
        print_table(
            ("what", "would be removed" if dry_run else "removed"), done.removed.items(), empty="Nothing to remove."
        )
    if done.failed:
        raise CommandFailed("; ".join(f"{name} could not be removed: {why}" for name, why in done.failed.items()))
