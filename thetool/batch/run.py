"""The whole way of a file through a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from thetool.batch.chunk import Chunk, Source
from thetool.batch.model import Asking
from thetool.batch.outputs import Outputs
from thetool.batch.problems import NoRowFits
from thetool.batch.schemas import MOST_ERRORS, OutputFormat, RowError
from thetool.batch.writers import Writer, writer_for

ENOUGH_ROWS = 1_000
"""When none of so many rows at the beginning can be predicted, none is: it is the file, not its rows."""
SHOWN = 3


@dataclass
class Told:
    """How far a file is: rows that went through, those that failed, and the first of these; at the end its notes."""

    rows: int = 0
    failed: int = 0
    errors: list[RowError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def format_for(source: Source, wanted: OutputFormat | None, outputs: int) -> OutputFormat:
    """What is written: what was asked for, else what came."""
    if wanted is None and source.format == "npy" and outputs > 1:
        return "parquet"
    return wanted or source.format


def predict_file(
    source: Source,
    asking: Asking,
    names: list[str],
    target: Path,
    kind: OutputFormat,
    watch: Callable[[Told], None] = lambda _: None,
) -> tuple[Told, list[str]]:
    """Ask a model for each row of a file, and write what it gives.

    Args:
        source: the file.
        asking: the model; it is not closed here.
        names: of its outputs.
        target: where to write.
        kind: in which format.
        watch: is told how far it is after each chunk; may raise to stop.

    Returns:
        What became of the rows, and the columns that were written.

    Raises:
        NoRowFits: no row at the beginning can be predicted, or none at all.
        UnfitModel: the outputs cannot be written so.
        Problem: the file cannot be read to its end.
    """
    told = Told()
    writer = writer_for(kind, target, source)
    early: list[_Asked] = []  # before the first outputs it is not known which columns there are
    known = False
    with ThreadPoolExecutor(1, "batch-writer") as hand:  # rows are written while the next ones are read
        written = hand.submit(_write, writer, ())
        for asked in _asked(source, asking, names):
            _count(told, asked)
            early.append(asked)
            if not known and not asked.outputs.is_empty:
                writer.learn(asked.chunk, asked.outputs)
                known = True
            if known:
                written.result()
                written = hand.submit(_write, writer, early)
                early = []
            _refuse(told, ENOUGH_ROWS)
            watch(told)
        _refuse(told, 1)
        written.result()
    writer.close()
    told.notes += [*source.notes, *writer.notes]
    return told, writer.columns


def _write(writer: Writer, asked: Sequence[_Asked]) -> None:
    for one in asked:
        writer.write(one.chunk, one.outputs, one.wrong)


@dataclass(frozen=True)
class _Asked:
    """Rows, what came out, and of each row without outputs why."""

    chunk: Chunk
    outputs: Outputs
    wrong: dict[int, str]


def _asked(source: Source, asking: Asking, names: list[str]) -> Iterator[_Asked]:
    for chunk in source.chunks():
        rows = chunk.rows if chunk.good is None else len(chunk.good)
        outputs = Outputs(names, asking.ask(chunk.feeds, rows), chunk.good, chunk.rows)
        yield _Asked(chunk, outputs, {**chunk.wrong, **outputs.failed})


def _count(told: Told, asked: _Asked) -> None:
    for row in sorted(asked.wrong)[: MOST_ERRORS - len(told.errors)]:
        told.errors.append(RowError(row=told.rows + row + 1, error=asked.wrong[row]))
    told.rows += asked.chunk.rows
    told.failed += len(asked.wrong)


def _refuse(told: Told, enough: int) -> None:
    """Raise NoRowFits when not one of so many rows has a prediction."""
    if told.rows == told.failed and told.rows >= enough:
        rows = "The one row fails" if told.rows == 1 else f"All of the first {told.rows:,} rows fail"
        reasons = "; ".join(f"row {one.row:,}: {one.error}" for one in told.errors[:SHOWN])
        raise NoRowFits(f"{rows}: {reasons}")
