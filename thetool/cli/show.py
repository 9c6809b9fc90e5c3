"""How answers look in a terminal. Whatever came from elsewhere is stripped of control characters and never markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from thetool.cli.problems import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

WIDTH_OF_A_PIPE = 1000
STATUS_COLOURS = {
    "completed": "green",
    "failed": "red",
    "cancelled": "yellow",
    "running": "cyan",
    "ready": "green",
    "error": "red",
}
AGES = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))

json_option = click.option("--json", "as_json", is_flag=True, help="Print the service's answer as it is, in JSON.")


def console(*, error: bool = False) -> Console:
    """A console on standard output, or on standard error for progress and notes."""
    from rich.console import Console

    terminal = (sys.stderr if error else sys.stdout).isatty()
    width = None if terminal else WIDTH_OF_A_PIPE  # what goes into a file or a program is not cut to a window
    return Console(stderr=error, highlight=False, markup=False, emoji=False, width=width)


def print_json(value: Any, *, line: bool = False) -> None:
    """Print JSON for programs and people: indented, or on a line of its own where more lines follow."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=None if line else 2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, indent: int = 0) -> None:
    """Print rows under their columns, if these have names; `empty` when there are none."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=any(columns), header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold", min_width=36 if column == "id" else None)
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    if table.row_count:
        print_block(table, indent)
    else:
        click.echo(" " * indent + empty)


def print_fields(fields: Iterable[tuple[str, Any]], *, indent: int = 0) -> None:
    """Print names and values; what is None is left out."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        if value is not None:
            table.add_row(name.replace("_", " "), cell(value))
    print_block(table, indent)


def print_block(block: RenderableType, indent: int = 0, style: str | None = None) -> None:
    """Print what rich draws, `indent` blanks from the left; no line ends in blanks."""
    from rich.padding import Padding

    out = console()
    with out.capture() as drawn:
        out.print(Padding(block, (0, 0, 0, indent)) if indent else block, style=style)
    for line in drawn.get().splitlines():
        click.echo(line.rstrip())


def cell(value: Any) -> Any:
    """A value as rich text."""
    from rich.text import Text

    text = plain(value)
    return Text(text, style=STATUS_COLOURS.get(text.partition(" ")[0], ""))


def plain(value: Any) -> str:
    """A JSON value for people: times in short, lists with commas, numbers without noise."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(item)}" for name, item in value.items()) or "–"
    return printable(str(value))


def number(value: float) -> str:
    """Four digits, or all before the point; never with an exponent."""
    if abs(value) >= 1000:
        return f"{value:.0f}"
    shown = f"{Decimal(f'{value:.4g}'):f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def moment(value: str | None) -> str:
    """An ISO 8601 time to the minute in the local zone, which is named."""
    parsed = _parsed(value)
    return f"{parsed.astimezone():%Y-%m-%d %H:%M %Z}" if parsed else value or "–"


def age(value: str | None) -> str:
    """How long ago an ISO 8601 time was, such as `5 min ago`: the same in every zone, and short enough for lists."""
    parsed = _parsed(value)
    if parsed is None:
        return value or "–"
    seconds = max(0, int((datetime.now(UTC) - parsed).total_seconds()))
    size, unit = next(((size, unit) for size, unit in AGES if seconds >= size), (1, "s"))
    return f"{seconds // size} {unit} ago"


def _parsed(value: str | None) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return parsed.replace(tzinfo=parsed.tzinfo or UTC)


def percent(fraction: float | None) -> str:
    """A fraction from 0 to 1; 100 % is only what is done."""
    return f"{int(100 * (fraction or 0) + 1e-6)} %"


def in_bytes(size: int) -> str:
    """A size such as `1.5 GiB`."""
    power = min(4, max(0, (size.bit_length() - 1) // 10))
    return f"{number(round(size / 1024**power, 1))} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"
