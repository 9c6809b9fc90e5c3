"""The commands in Markdown, for `docs/commands.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from thetool.cli.main import EPILOG, thetool


def commands_markdown() -> str:
    """A section for each command: what it does, how it is called, its options."""
    sections = [_section(path, command) for path, command in _commands("thetool", thetool)]
    return f"{_one_line(EPILOG)}\n\n" + "\n".join(sections)


def _commands(path: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, sub_command in command.commands.items():
        yield from _commands(f"{path} {name}", sub_command)


def _section(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    named = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    options = [record for option in named if (record := option.get_help_record(context))]
    rows = [f"| `{_cell(names)}` | {_cell(_one_line(text))} |" for names, text in options]
    table = "\n".join(["", "| option | |", "| --- | --- |", *rows, ""]) if rows else ""
    return f"## {path}\n\n{_one_line(command.help or '')}\n\n```\n{usage}\n```\n{table}"


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
