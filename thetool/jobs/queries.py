"""Reads queries.sql: each query by its name."""

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


queries = _read(files("thetool.jobs").joinpath("queries.sql").read_text(encoding="utf-8"))
