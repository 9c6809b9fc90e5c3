"""`thetool analyze`: send texts and files, and show what is found."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import click

from thetool.cli.findings import flat, print_analysis
from thetool.cli.following import FINISHED, follow, require_completed
from thetool.cli.problems import CommandFailed, ServiceUnreachable
from thetool.cli.service import Answer, Service, for_service
from thetool.cli.show import json_option, print_json

STDIN = "-"
FIRST_WAIT_SECONDS = 0.5
UPLOAD_SECONDS = 600.0


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
@click.argument(
    "files", metavar="[FILE]... | -", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)
@click.option("--text", help="Analyse these words instead of a file.")
@click.option("--tasks", type=Names(), help="Which analyses, such as sentiment,language. [default: all that fit]")
@click.option(
    "--labels",
    type=Names(),
    help='Topics to choose from; as JSON with phrases for each, {"bills": ["An invoice."]}. [default: our own]',
)
@click.option("--sentences", is_flag=True, help="Also the sentiment of each sentence.")
@click.option(
    "--wait", type=click.FloatRange(0), metavar="SECONDS", help="Longest wait for each. [default: until it is done]"
)
@click.option(
    "--csv", "table", type=click.File("w", encoding="utf-8", lazy=False), help="Write a row for each into this file."
)
@json_option
@for_service
def analyze(
    service: Service,
    files: tuple[str, ...],
    text: str | None,
    tasks: list[str] | None,
    labels: list[str] | dict[str, list[str]] | None,
    sentences: bool,
    wait: float | None,
    table: IO[str] | None,
    as_json: bool,
) -> None:
    """Analyse each FILE, standard input (-) or the words of --text, and show what is found."""
    wanted = {"tasks": tasks, "labels": labels, "sentences": sentences or None}
    inputs = _inputs(files, text)
    rows: list[dict[str, Any]] = []
    failed = 0
    for name in inputs:
        try:
            answer = _send(service, name, text, wanted, wait)
            analysis = _finished(service, answer, wait)
        except ServiceUnreachable:
            raise
        except CommandFailed as problem:
            if len(inputs) == 1:
                raise
            failed += 1
            click.echo(f"{name}: ", nl=False, err=True)
            problem.show()
            continue
        rows.append({"input": name, **flat(analysis)})
        _show(name if len(inputs) > 1 else None, analysis, as_json=as_json)
    if table is not None:
        _write_table(table, rows)
    if failed:
        sys.exit(CommandFailed.exit_code)


def _inputs(files: Sequence[str], text: str | None) -> list[str]:
    """The names of what is analysed; `--text` is one called "text"."""
    if text is not None:
        if files:
            raise click.UsageError("Give files or --text, not both.")
        return ["text"]
    if files:
        return list(files)
    if sys.stdin.isatty():
        raise click.UsageError("Give a file, - for standard input, or --text.")
    return [STDIN]


def _send(service: Service, name: str, text: str | None, wanted: dict[str, Any], wait: float | None) -> Answer:
    """POST one of them; the answer is the analysis (200) or its job (202)."""
    seconds = FIRST_WAIT_SECONDS if wait is None else min(wait, FIRST_WAIT_SECONDS)
    headers = {"Prefer": f"wait={seconds:g}", "Idempotency-Key": str(uuid4())}
    given = {field: value for field, value in wanted.items() if value is not None}
    if text is not None:
        return service.request("POST", "/analyze", json={"text": text, **given}, headers=headers)
    content = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    filename = "standard input" if name == STDIN else Path(name).name
    fields: list[tuple[str, Any]] = [
        (field, ",".join(value) if field == "tasks" else json.dumps(value)) for field, value in given.items()
    ]
    fields.append(("file", (filename, content, "application/octet-stream")))
    return service.request("POST", "/analyze", fields=fields, headers=headers, seconds=UPLOAD_SECONDS)


def _finished(service: Service, answer: Answer, wait: float | None) -> dict[str, Any]:
    """The analysis; or, when it is not there within `wait`, its unfinished job."""
    if answer.status != 202:
        analysis: dict[str, Any] = answer.body
        return analysis
    left = None if wait is None else max(0.0, wait - FIRST_WAIT_SECONDS)
    job = follow(service, answer.headers["Location"].rpartition("/")[2], seconds=left)
    if job["status"] not in FINISHED:
        return job
    result: dict[str, Any] = require_completed(job)["result"]
    return result


def _show(name: str | None, analysis: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(analysis)
    elif "progress" in analysis:
        click.echo(f"Not finished yet; see: thetool jobs show {analysis['id']}")
    else:
        print_analysis(name, analysis)


def _write_table(table: IO[str], rows: Sequence[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    writer = csv.DictWriter(table, columns)
    writer.writeheader()
    writer.writerows(rows)
