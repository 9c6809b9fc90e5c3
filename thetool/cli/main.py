"""`thetool`: the commands, and what all of them share."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from thetool import __version__
from thetool.cli.analyze import analyze
from thetool.cli.cleanup import cleanup
from thetool.cli.jobs import jobs
from thetool.cli.keys import keys
from thetool.cli.model_batch import batch
from thetool.cli.models import models
from thetool.cli.problems import EXIT_INTERRUPTED
from thetool.cli.process import migrate, serve
from thetool.cli.weights import weights

EPILOG = """Exit status: 0 done; 1 a problem, told in one line; 2 the command was not understood; 3 no service answers;
130 interrupted. The key is taken from THETOOL_API_KEY, else, on the service's own machine, from its settings or its
home folder: a key on a command line could be seen by everybody on the machine."""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="thetool")
def thetool() -> None:
    """Texts, photos, tables and questions to models go in, results come out: start the service, and use it."""


for command in (serve, analyze, jobs, models, keys, weights, cleanup, migrate):
    thetool.add_command(command)
models.add_command(batch)


def main() -> NoReturn:
    """Run the command line and exit."""
    try:
        status = thetool.main(prog_name="thetool", standalone_mode=False)
    except click.Abort:
        click.echo("Interrupted.", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    sys.exit(status)
