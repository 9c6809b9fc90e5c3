"""Reads the files queries.sql: each query by its name."""

from __future__ import annotations

import re
from importlib.resources import files

from thetool.database.prepared import Prepared, prepared

_heading = re.compile(r"^-- (\w+): .+$", re.MULTILINE)


def _read(text: str) -> dict[str, Prepared]:
    starts = list(_heading.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return {
        start[1]: prepared(text[start.end() : end].strip().removesuffix(";"), start[1])
        for start, end in zip(starts, ends, strict=True)
    }


def texts() -> list[str]:
    """The files queries.sql of this room and of its parts."""
    room = files("thetool.jobs")
    parts = sorted((part for part in room.iterdir() if part.is_dir()), key=lambda part: part.name)
    found = [place.joinpath("queries.sql") for place in (room, *parts)]
    return [file.read_text(encoding="utf-8") for file in found if file.is_file()]


queries = {name: query for text in texts() for name, query in _read(text).items()}
