"""`thetool serve` and `thetool migrate`: what runs on the service's own machine."""

from __future__ import annotations

import click

from thetool.cli.problems import CommandFailed
from thetool.cli.service import settings_here


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on. [env: HOST; default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(1, 65_535), metavar="N", help="Port to listen on. [env: PORT; default: 8000]"
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Worker processes. [env: WEB_CONCURRENCY]",
)
def serve(host: str | None, port: int | None, workers: int | None) -> None:
    """Start the service and stay until it is stopped (Ctrl-C)."""
    from thetool.serve import serve as become_the_service

    become_the_service(host=host, port=port, workers=workers)


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema; safe to repeat, and in several places at once."""
    from thetool.database.embedded import EmbeddedPostgresError
    from thetool.database.migrate import MigrationError, upgrade

    try:
        upgrade(settings_here())
    except (EmbeddedPostgresError, MigrationError) as error:
        raise CommandFailed(str(error)) from error
    click.echo("[OK] Database migrations completed")
