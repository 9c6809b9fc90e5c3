"""Statements that Postgres plans once a connection. psycopg2 does not prepare by itself; PREPARE and EXECUTE do."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache

import psycopg2.errors

# What Postgres says behind a pooler in transaction mode, where the next statement may meet another connection.
LOST = (psycopg2.errors.InvalidSqlStatementName, psycopg2.errors.DuplicatePreparedStatement)

_parameter = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement with `%(name)s` parameters, as psycopg2 takes it: once `prepare`, then `execute` with the values.

    Its `name` carries a hash of the text, so that two versions behind one pooler never mean the same name.
    """

    name: str
    text: str
    prepare: str
    execute: str


@cache
def prepared(text: str, name: str = "statement") -> Prepared:
    """The statement, ready to be prepared. Postgres must see each parameter's type, by a cast if need be."""
    parameters = list(dict.fromkeys(_parameter.findall(text)))
    numbered = _parameter.sub(lambda found: f"${parameters.index(found[1]) + 1}", text).replace("%%", "%")
    name = f"thetool_{name}_{hashlib.sha256(numbered.encode()).hexdigest()[:8]}"
    values = ", ".join(f"%({parameter})s" for parameter in parameters)
    return Prepared(
        name=name,
        text=text,
        prepare=f"prepare {name} as {numbered}",
        execute=f"execute {name} ({values})" if parameters else f"execute {name}",
    )
