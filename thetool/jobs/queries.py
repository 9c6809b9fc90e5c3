"""Reads queries.sql: each query by its name, as text for psycopg2 and as a prepared statement."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files

_heading = re.compile(r"^-- (\w+): (.+)$", re.MULTILINE)
_parameter = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Query:
    """One query of queries.sql.

    psycopg2 does not prepare by itself, and planning is most of what a claim costs: `prepare` and `execute` do it in
    SQL. The statement's name carries a hash of its text: two versions behind one pooler never mean the same name.
    """

    name: str
    purpose: str
    text: str
    prepare: str
    execute: str


def _read(text: str) -> dict[str, Query]:
    starts = list(_heading.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return {
        start[1]: _query(start[1], start[2], text[start.end() : end].strip().removesuffix(";"))
        for start, end in zip(starts, ends, strict=True)
    }


def _query(name: str, purpose: str, text: str) -> Query:
    parameters = list(dict.fromkeys(_parameter.findall(text)))
    numbered = _parameter.sub(lambda found: f"${parameters.index(found[1]) + 1}", text)
    statement = f"thetool_{name}_{hashlib.sha256(numbered.encode()).hexdigest()[:8]}"
    values = ", ".join(f"%({parameter})s" for parameter in parameters)
    return Query(
        name=name,
        purpose=purpose,
        text=text,
        prepare=f"prepare {statement} as {numbered}",
        execute=f"execute {statement} ({values})" if parameters else f"execute {statement}",
    )


queries = _read(files("thetool.jobs").joinpath("queries.sql").read_text(encoding="utf-8"))
