"""What libraries raise over damaged files, as a problem."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from thetool.tables.reading.problems import DamagedTable

_PANIC = "PanicException"  # of each library in Rust its own, and no Exception


@contextmanager
def damage_told(what: str, *kinds: type[Exception]) -> Iterator[None]:
    """Raise `DamagedTable` in place of these errors, and of a panic (an assertion in Rust that failed)."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, kinds) and type(error).__name__ != _PANIC:
            raise
        told = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise DamagedTable(f"{what} cannot be read to its end: {told}") from error
