"""How answers look in a terminal. Whatever came from elsewhere is stripped of control characters and never markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from thetool.cli.problems import printable

if TYPE_CHECKING:
    from rich.console import Console

WIDTH_OF_A_PIPE = 1000
STATUS_COLOURS = {"completed": "green", "failed": "red", "cancelled": "yellow", "running": "cyan"}

json_option = click.option("--json", "as_json", is_flag=True, help="Print the service's answer as it is, in JSON.")


def console(*, error: bool = False) -> Console:
    """A console on standard output, or on standard error for progress and notes."""
    from rich.console import Console

    terminal = (sys.stderr if error else sys.stdout).isatty()
    width = None if terminal else WIDTH_OF_A_PIPE  # what goes into a file or a program is not cut to a window
    return Console(stderr=error, highlight=False, markup=False, emoji=False, width=width)


def print_json(value: Any) -> None:
    """Print JSON for programs: indented in a terminal, a line of its own in a pipe."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Print rows under their columns; `empty` when there are none."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", min_width=36 if column == "id" else None)
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    if table.row_count:
        console().print(table)
    else:
        click.echo(empty)


def print_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """Print names and values; what is None is left out."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        if value is not None:
            table.add_row(name, cell(value))
    console().print(table)


def cell(value: Any) -> Any:
    """A value as rich text."""
    from rich.text import Text

    text = plain(value)
    return Text(text, style=STATUS_COLOURS.get(text, ""))


def plain(value: Any) -> str:
    """A JSON value for people: times in short, lists with commas, numbers without noise."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(item)}" for name, item in value.items()) or "–"
    return printable(str(value))


def moment(value: str | None) -> str:
    """An ISO 8601 time, in the local zone and to the minute."""
    if not value:
        return "–"
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return value
    return f"{parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone():%Y-%m-%d %H:%M}"


def percent(fraction: float | None) -> str:
    """A fraction from 0 to 1."""
    return f"{round(100 * (fraction or 0))} %"
