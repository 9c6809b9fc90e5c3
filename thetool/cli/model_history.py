"""`thetool models history`: what models were asked, as a table, as JSON, or all of it as CSV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from thetool.cli.model_reference import MODELS, by_name, id_of, is_id, parts
from thetool.cli.problems import CommandFailed
from thetool.cli.service import Service, for_service
from thetool.cli.show import age, json_option, print_json, print_table

STATUSES = ("made", "cached", "failed")
COLUMNS = ("made", "status", "rows", "ms", "request", "asked", "answered")
SHORT = 60


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--status", type=click.Choice(STATUSES), help="Only what the model made, what was cached, what failed.")
@click.option("--from", "since", metavar="TIME", help="Only from this moment or day on (ISO 8601; UTC).")
@click.option("--to", "until", metavar="TIME", help="Only until before this moment or day.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, metavar="N", help="How many. [default: 20]")
@click.option("--csv", "file", metavar="FILE", help="Write all of them as CSV into FILE (-: to standard output).")
@json_option
@for_service
def history(
    service: Service,
    model: str,
    status: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    file: str | None,
    as_json: bool,
) -> None:
    """Show what MODEL (a NAME, NAME@ALIAS, NAME:VERSION or ID) was asked, newest first; a NAME is all its versions.

    It is kept for PREDICTION_RETENTION_DAYS of the service. A text in the CSV that a spreadsheet would run as a formula
    begins with an apostrophe.
    """
    path, wanted = _path(service, model), {"status": status, "from": since, "to": until}
    if file is not None:
        _write(service.stream(f"{path}.csv", wanted), file)
        return
    items = service.items(path, {**wanted, "limit": min(limit, 200)}, most=limit)
    if as_json:
        print_json(items)
    else:
        print_table(COLUMNS, map(_row, items), empty="No predictions.")


def _path(service: Service, model: str) -> str:
    """The address of the history of what is meant."""
    alone = not is_id(model) and parts(model)[1:] == (None, None)
    return f"{by_name(model)}/predictions" if alone else f"{MODELS}/{id_of(service, model)}/predictions"


def _write(pieces: Iterator[bytes], file: str) -> None:
    """Write them; the file is there when all of it is."""
    if file == "-":
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    path = Path(file)
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as part:
            part.writelines(pieces)
        os.replace(beside, path)
    except OSError as error:
        raise CommandFailed(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        beside.unlink(missing_ok=True)


def _row(one: dict[str, Any]) -> tuple[Any, ...]:
    status = "failed" if one["error"] else "cached" if one["cached"] else "made"
    asked, answered = (_short(one[name], one["truncated"]) for name in ("input_data", "output_data"))
    took = one["inference_time_ms"]
    return age(one["created_at"]), status, one["rows"], took, one["request_id"], asked, one["error"] or answered


def _short(value: Any, truncated: bool) -> str | None:
    if value is None:
        return "too long to be kept" if truncated else None
    text = str(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
