"""Opening a file of rows: what it is, by its content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from thetool.batch.arrays import MAGIC, Array
from thetool.batch.chunk import Source
from thetool.batch.instances import Instances
from thetool.batch.mapping import require_rows
from thetool.batch.schemas import BatchOptions
from thetool.batch.tables import Csv, Parquet
from thetool.serving.runtime.tensors import TensorSpec
from thetool.tables.reading import containers, formats
from thetool.tables.reading.limits import LIMITS
from thetool.tables.reading.problems import EmptyTable, UnsupportedTable
from thetool.tables.reading.report import Format

TAKEN = "CSV, Parquet, JSON Lines or a .npy file, each also packed with gzip or zip"
_LINES = (".jsonl", ".ndjson")
_PICKLES = tuple(bytes([0x80, version]) for version in range(2, 6))


def open_source(
    path: Path,
    filename: str | None,
    inputs: Sequence[TensorSpec],
    options: BatchOptions,
    *,
    features: Sequence[str] = (),
    unpacked_bytes: int,
    tell: Callable[[float], None] = lambda _: None,
) -> Source:
    """The rows of a file.

    Args:
        path: the file; what is unpacked goes beside it.
        filename: as the sender named it; it says what the content does not.
        inputs: of the model.
        options: what is asked for.
        features: the names that the model itself has for the columns of its one input.
        unpacked_bytes: how large it may be when it came packed.
        tell: hears how far unpacking is.

    Raises:
        UnfitModel: the model takes no rows.
        Problem: it is of another kind, empty or damaged, or its columns do not fit; what
            `thetool.tables.reading.problems`, `thetool.batch.problems` and InvalidInput say.
    """
    require_rows(inputs)
    limits = replace(LIMITS, unpacked_bytes=unpacked_bytes)
    path, inner, _ = containers.unpacked(path, path.parent, filename, limits, tell)
    with path.open("rb") as file:
        beginning = file.read(len(MAGIC))
    if not beginning:
        raise EmptyTable("The file is empty. Send one with a row at least.")
    if beginning == MAGIC:
        return Array(path, inputs, options)
    if beginning.startswith(_PICKLES):
        raise UnsupportedTable(f"It is a pickle, which is never read: it may run code. What is read: {TAKEN}.")
    kind = Format(str(formats.find_format(path, inner, None).value))
    is_lines = (inner or "").lower().endswith(_LINES) and kind in (Format.JSON, Format.CSV, Format.TSV)
    if kind is Format.JSONL or is_lines:
        return Instances(path, inputs, options, features)
    if kind is Format.PARQUET:
        return Parquet(path, inputs, options, features)
    if kind in (Format.CSV, Format.TSV):
        return Csv(path, inputs, options, features)
    hint = "send one instance on each line (JSON Lines, .jsonl)" if kind is Format.JSON else "save its sheet as CSV"
    name = "a JSON document" if kind is Format.JSON else "a workbook"
    raise UnsupportedTable(f"It is {name}; {hint}. What is read: {TAKEN}.")
