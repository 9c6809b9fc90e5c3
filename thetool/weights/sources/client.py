"""Run a package registry's own client, with the machine's own settings for it, and count what it downloads."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

from pydantic import AliasChoices

from thetool.config import Settings
from thetool.jobs.process_tree import kill_group
from thetool.weights.sources.source import Downloaded

POLL_SECONDS = 0.2
SILENCE_SECONDS = 120
"""Without another byte for so long a client is given up: some wait an hour for a network that swallows everything."""


class ClientError(Exception):
    """The client ended with an error; `log` is all that it said."""

    def __init__(self, log: str) -> None:
        super().__init__(log)
        self.log = log


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    downloaded: Downloaded,
    counted: Path | None = None,
) -> None:
    """Run the client in `folder`, where it also keeps its temporary files, until it ends.

    Args:
        command: the client and its arguments.
        folder: of the caller's.
        environment: variables on top of this process's; our own settings, keys among them, are none of its business.
        downloaded: is told the bytes below `counted`, a few times a second; when it raises, the client is killed.
        counted: where the client puts what it downloads (`folder`).

    Raises:
        ClientError: the client ended with an error, or nothing came any more.
    """
    log = folder / "client.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={
                **_surroundings(),
                "TMPDIR": str(folder),
                **environment,
            },  # temporary files are ours to count and remove
            start_new_session=True,  # to be killed with all that it starts: npm out of a wheel is started by Python
            cwd=folder,  # not in just any folder: Python looks for modules there, npm for its settings
        )
        try:
            _watch(process, folder, lambda: downloaded(_bytes_below(counted or folder)))
        finally:
            kill_group(process.pid)
            process.wait()
    if process.returncode != 0:
        raise ClientError(log.read_text("utf-8", "replace"))


def _surroundings() -> dict[str, str]:
    """The environment without what `Settings` reads in it."""
    aliases = (cast(AliasChoices, field.validation_alias) for field in Settings.model_fields.values())
    ours = {name for choices in aliases for name in choices.choices}
    return {name: value for name, value in os.environ.items() if name.upper() not in ours}


def _watch(process: subprocess.Popen[bytes], folder: Path, tell: Callable[[], None]) -> None:
    """Tell how far it is until it ends, or until nothing in the folder has grown for too long."""
    here, since = 0, time.monotonic()
    while not _ended(process):
        tell()
        before, here = here, _bytes_below(folder)
        if here != before:
            since = time.monotonic()
        elif time.monotonic() - since > SILENCE_SECONDS:
            raise ClientError(f"nothing came for {SILENCE_SECONDS} s")


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):  # passes over a folder that the client has just removed
        for name in names:
            with suppress(FileNotFoundError):  # the client has just moved it
                total += os.stat(os.path.join(parent, name)).st_size
    return total
