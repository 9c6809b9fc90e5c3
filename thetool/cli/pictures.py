"""The pictures of `--annotate-to`: a file for each photo."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from thetool.cli.inputs import STDIN, Input
from thetool.cli.problems import CommandFailed

ENDING = ".annotated.jpg"


class Pictures:
    """Files in a folder, called as the photos are; two photos of one name in a run get a number."""

    def __init__(self, folder: Path, *, replace: bool) -> None:
        """Make the folder, unless it is there; `replace` says whether files in it may be written over.

        Raises:
            CommandFailed: it cannot be made.
        """
        self._folder, self._replace = folder, replace
        self._taken: set[Path] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandFailed(f"{folder} cannot be made: {error.strerror}.") from error

    def place_for(self, one: Input) -> Path:
        """Where the picture of this input is to be, which no other one of this run gets.

        Raises:
            CommandFailed: an earlier run left a file there, and it may not be written over.
        """
        name = unquote(urlsplit(one.url).path) if one.url else one.name
        stem = "standard input" if name == STDIN else Path(name).stem or "photo"
        place, number = self._folder / f"{stem}{ENDING}", 1
        while place in self._taken:
            number += 1
            place = self._folder / f"{stem}-{number}{ENDING}"
        self._taken.add(place)
        if place.exists() and not self._replace:
            raise CommandFailed(f"{place} is there already. To write over it: --force")
        return place


def save(place: Path, picture: bytes) -> None:
    """Write the file.

    Raises:
        CommandFailed: it cannot be written.
    """
    try:
        place.write_bytes(picture)
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{place} cannot be written: {error}.") from error
