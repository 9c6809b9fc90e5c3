"""Some rows on their way from a file through a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from thetool.serving.runtime.checking import Feeds

if TYPE_CHECKING:
    import polars as pl

    from thetool.batch.schemas import OutputFormat


CHUNK_BYTES = 32 << 20
"""A chunk has fewer rows where they are long: those of pictures have hundreds of kilobytes each."""


def rows_of_a_chunk(most: int, bytes_of_a_row: float) -> int:
    """How many rows of such a length are held in memory at a time."""
    return max(1, min(most, int(CHUNK_BYTES / max(1.0, bytes_of_a_row))))


@dataclass
class Chunk:
    """Rows of a file.

    `feeds` are the arrays of the rows `good`, counted from 0 in this chunk (None: of all of them); `wrong` says of each
    other one why it is none. `kept` is what is written beside the predictions: columns, or of JSON Lines the instances.
    """

    rows: int
    feeds: Feeds
    good: list[int] | None = None
    wrong: dict[int, str] = field(default_factory=dict)
    kept: pl.DataFrame | list[Any] | None = None


class Source(Protocol):
    """A file that was opened: which format it has, which columns each input takes, and its rows."""

    format: OutputFormat
    inputs: dict[str, list[str]]
    notes: list[str]
    delimiter: str
    """What stands between fields: a text is answered in its own writing."""

    @property
    def decimal(self) -> str:
        """The decimal mark of its numbers."""

    @property
    def fraction(self) -> float:
        """How much of it was read, from 0 to 1."""

    def chunks(self) -> Iterator[Chunk]:
        """Its rows, in order."""


def without(feeds: Feeds, rows: int, wrong: dict[int, str]) -> tuple[Feeds, list[int] | None]:
    """The arrays without the wrong rows, and which rows are left; None: all of them."""
    if not wrong:
        return feeds, None
    good = [row for row in range(rows) if row not in wrong]
    return {name: array[good] for name, array in feeds.items()}, good
