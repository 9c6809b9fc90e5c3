"""`thetool models batch`: a file with many rows goes to a model, and comes back with its predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from thetool.cli.following import follow, require_completed
from thetool.cli.form import Form
from thetool.cli.model_reference import path_of
from thetool.cli.problems import CommandFailed
from thetool.cli.sending import sending
from thetool.cli.service import Service, for_service
from thetool.cli.show import json_option, print_json, print_table

FORMATS = ("csv", "parquet", "jsonl", "npy")
OTHER_ENDINGS = {"ndjson": "jsonl"}
UPLOAD_SECONDS = 3600.0
MOST_SHOWN = 5


@click.command()
@click.argument("model", metavar="MODEL")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--output",
    metavar="OUT",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Where the result is written; its ending says in which format. [default: FILE-predictions, as FILE is]",
)
@click.option(
    "--output-format", type=click.Choice(FORMATS), help="What is written. [default: what OUT says, else FILE]"
)
@click.option("--columns", metavar="A,B,…", help="The columns that the model takes, or JSON with those of each input.")
@click.option("--keep-columns", metavar="A,B,…", help="Columns to keep beside: all, none, or names. [default: all]")
@click.option("--empty", type=click.Choice(("error", "nan")), help="What an empty cell is: a failed row, or NaN.")
@click.option("--chunk-rows", metavar="N", type=click.IntRange(1), help="Most rows held in memory at a time.")
@click.option("--encoding", metavar="NAME", help="Of a text: its encoding. [default: it is found]")
@click.option("--delimiter", metavar="CHARACTER", help="Of a text: what stands between fields. [default: it is found]")
@click.option("--quote", metavar="CHARACTER", help='Of a text: what stands around fields; "" for nothing.')
@click.option("--header-row", metavar="N", type=int, help="Of a text: the line with the names, from 1; 0: none.")
@click.option("--decimal", type=click.Choice((".", ",")), help="Of a text: the decimal mark of all numbers.")
@json_option
@for_service
def batch(
    service: Service, model: str, file: Path, output: Path | None, output_format: str | None, as_json: bool, **rest: Any
) -> None:
    """Ask MODEL (a NAME, NAME@ALIAS, NAME:VERSION or ID) for each row of FILE, and write FILE with the predictions.

    FILE is CSV, Parquet, JSON Lines (an instance on each line) or .npy, also packed with gzip or zip. A row that fails
    fails alone, with its reason in the column _error. Ctrl-C offers to cancel the job.
    """
    wanted = {"output_format": output_format or _format_of(output), **rest}
    job = follow(service, _sent(service, model, file, wanted))
    require_completed(job)
    target = output or Path(Path(job["result"]["filename"]).name)  # here, whatever the service calls it
    service.save(job["download_url"], target)
    if as_json:
        print_json(job)
        return
    failed = job["failed_rows"]
    click.echo(f"{target}: {job['rows']:,} rows, {failed:,} failed.")
    if failed:
        rows = [(one["row"], one["error"]) for one in job["result"]["errors"][:MOST_SHOWN]]
        print_table(("row", "error"), rows, empty="")


def _format_of(output: Path | None) -> str | None:
    """The format that a name's ending says."""
    ending = "" if output is None else output.suffix.removeprefix(".").lower()
    known = OTHER_ENDINGS.get(ending, ending)
    return known if known in FORMATS else None


def _sent(service: Service, model: str, file: Path, wanted: dict[str, Any]) -> str:
    """Send the file; the job that was made of it."""
    try:
        opened = file.open("rb")
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.") from error
    with opened, sending(opened, file.name) as read:
        fields = [(name, str(value)) for name, value in wanted.items() if value is not None]
        form = Form(fields, read, file.name)
        answer = service.request("POST", f"{path_of(model)}/batches", form=form, seconds=UPLOAD_SECONDS)
    return str(answer.body["id"])
