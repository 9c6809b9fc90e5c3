"""`thetool analyze`: send texts, photos, tables and other files, and show what is found."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from thetool.cli.encodings import Encoding
from thetool.cli.inputs import Place, inputs_of
from thetool.cli.pictures import Pictures
from thetool.cli.problems import CommandFailed
from thetool.cli.report import Report
from thetool.cli.service import Service, for_service
from thetool.cli.session import Session, Shown
from thetool.cli.show import json_option
from thetool.cli.spreadsheet import Spreadsheet
from thetool.cli.table_options import given_of, table_options


class Names(click.ParamType[Any]):
    """Names with commas between them, or JSON."""

    name = "a,b,…"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The names, without blanks; or what the JSON says."""
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith(("{", "[")):
            try:
                return json.loads(value)
            except ValueError as error:
                self.fail(f"begins as JSON, but is not: {error}", param, ctx)
        return [name.strip() for name in value.split(",") if name.strip()]


@click.command()
@click.argument("paths", metavar="[FILE | FOLDER | URL]... | -", nargs=-1, type=Place())
@click.option("--text", help="Analyse these words instead of a file.")
@click.option("--tasks", type=Names(), help="Which analyses, such as sentiment,objects. [default: all that fit]")
@click.option(
    "--labels",
    type=Names(),
    help='Topics to choose from; as JSON with phrases for each, {"bills": ["An invoice."]}. [default: our own]',
)
@click.option("--sentences", is_flag=True, help="Also the sentiment of each sentence.")
@click.option("--exhaustive", is_flag=True, help="Read every sentence of a long text for its topics, not a sample.")
@click.option("--annotate", is_flag=True, help="Also a picture of each photo with what was found drawn over it.")
@click.option(
    "--annotate-to",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Save those pictures there, as NAME.annotated.jpg.",
)
@click.option("--location", is_flag=True, help="Also where a photo was taken, if it tells.")
@click.option(
    "--encoding", type=Encoding(), help="What texts and tables are in, such as windows-1252. [default: it is seen]"
)
@table_options
@click.option(
    "--html",
    "report",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was found in the one table into this file, as a page that stands alone.",
)
@click.option(
    "--wait", type=click.FloatRange(0), metavar="SECONDS", help="Longest wait for each. [default: until it is done]"
)
@click.option(
    "--csv",
    "table",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a row for each into this file as it comes, failed ones too, instead of printing it.",
)
@click.option("--force", is_flag=True, help="Write over the files of --csv, --html and --annotate-to.")
@json_option
@for_service
def analyze(
    service: Service,
    paths: tuple[str, ...],
    text: str | None,
    tasks: list[str] | None,
    labels: list[str] | dict[str, list[str]] | None,
    sentences: bool,
    exhaustive: bool,
    annotate: bool,
    annotate_to: Path | None,
    location: bool,
    encoding: str | None,
    report: Path | None,
    wait: float | None,
    table: Path | None,
    force: bool,
    as_json: bool,
    **of_tables: Any,
) -> None:
    """Analyse texts, photos and tables, and show what is found: each FILE, the files of each FOLDER, what is at each
    URL, standard input (-) or --text.

    With --json, several files give a line of JSON each, with its name as `input`. What fails is told there and on
    standard error, and the others go on; where the service asks to wait (429), the command waits.
    """
    if text is not None and encoding is not None:
        raise click.UsageError("--encoding is for files; what --text gives is decoded already.")
    inputs = inputs_of(paths, text)
    if report is not None and len(inputs) != 1:
        raise click.UsageError("--html is for one table.")
    flags = {
        "sentences": sentences,
        "exhaustive": exhaustive,
        "annotate": annotate or annotate_to is not None,
        "location": location,
    }
    lists = {"tasks": tasks, "labels": labels}
    given: dict[str, Any] = {field: value for field, value in lists.items() if value is not None}
    given |= {field: True for field, wanted in flags.items() if wanted}
    given |= given_of(of_tables)
    with ExitStack() as opened:
        rows = opened.enter_context(Spreadsheet(table, replace=force)) if table else None
        pictures = Pictures(annotate_to, replace=force) if annotate_to else None
        html = Report(report, replace=force) if report else None
        shown = Shown(rows, pictures, html, as_json=as_json, several=len(inputs) > 1)
        failed = Session(service, given, encoding, wait, shown).analyze_all(inputs)
    if failed:
        sys.exit(CommandFailed.exit_code)
