"""How far a large file has been sent, on standard error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from thetool.cli.problems import printable
from thetool.cli.show import console


@contextmanager
def sending(file: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """The file, which moves a bar of bytes while it is read; in a log file there is none."""
    screen = console(error=True)
    if not screen.is_terminal:
        yield file
        return
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    size = os.fstat(file.fileno()).st_size
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=screen, transient=True) as bars:
        yield bars.wrap_file(file, total=size, description=printable(f"Sending {name}"))
