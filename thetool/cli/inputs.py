"""What a command is given to work on: words, standard input, files, folders with files, and addresses."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

import click

from thetool.cli.problems import CommandFailed

STDIN = "-"
MEMORY_BYTES = 16 << 20
"""More than this of standard input goes to the disk until it is sent."""


class Place(click.Path):
    """A file, a folder, standard input, or an address."""

    name = "place"

    def __init__(self) -> None:
        super().__init__(exists=True, allow_dash=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The same; what is no address must be there."""
        return value if is_address(value) else super().convert(value, param, ctx)


def is_address(place: object) -> bool:
    """Whether it is an address, which the service is to fetch itself."""
    return isinstance(place, str) and place.startswith(("https://", "http://"))


@dataclass(frozen=True)
class Input:
    """One thing to send; `text` is set when its words came on the command line, `url` when it is somewhere else."""

    name: str
    text: str | None = None
    url: str | None = None

    @property
    def filename(self) -> str:
        """What the service is told that it is called."""
        return "standard input" if self.name == STDIN else Path(self.name).name

    def open(self) -> BinaryIO:
        """Its bytes, which can be read several times.

        Raises:
            CommandFailed: it cannot be read.
        """
        if self.name == STDIN:
            copy = cast(BinaryIO, SpooledTemporaryFile(max_size=MEMORY_BYTES))  # noqa: SIM115  the caller closes it
            shutil.copyfileobj(sys.stdin.buffer, copy)
            copy.seek(0)
            return copy
        try:
            return Path(self.name).open("rb")
        except OSError as error:
            raise CommandFailed(f"It cannot be read: {error.strerror}.") from error


def inputs_of(paths: Sequence[str], text: str | None) -> list[Input]:
    """Each address and file of `paths`, and of the folders among them; or the words of `--text`; or standard input.

    Raises:
        click.UsageError: both are given, or nothing is.
    """
    if text is not None:
        if paths:
            raise click.UsageError("Give files or --text, not both.")
        return [Input("text", text)]
    if not paths:
        if sys.stdin.isatty():
            raise click.UsageError("Give a file, a folder, - for standard input, or --text.")
        return [Input(STDIN)]
    found = [
        one for path in paths for one in ([Input(path, url=path)] if is_address(path) else map(Input, _files(path)))
    ]
    if not found:
        raise click.UsageError(f"There are no files in {', '.join(paths)}.")
    return found


def _files(path: str) -> Iterator[str]:
    """`path`, or the files below it by name; what begins with a dot is left out there, and links to folders."""
    if path == STDIN or not os.path.isdir(path):
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            whole = os.path.join(folder, name)
            if not name.startswith(".") and os.path.isfile(whole):
                yield whole
