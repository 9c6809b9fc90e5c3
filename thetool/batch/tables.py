"""CSV and Parquet: tables whose columns a model takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from thetool.batch.cells import LOOKED_AT, Cells
from thetool.batch.chunk import Chunk, rows_of_a_chunk, without
from thetool.batch.mapping import columns_of, width_of
from thetool.batch.problems import UnfitColumns
from thetool.batch.schemas import BatchOptions, OutputFormat
from thetool.serving.runtime.tensors import TensorSpec
from thetool.tables.reading.damage import damage_told
from thetool.tables.reading.dialect import NONE
from thetool.tables.reading.names import named
from thetool.tables.reading.pieces import Piece, TextPieces
from thetool.tables.reading.problems import EmptyTable

FIRST_ROWS = 16
"""Of a Parquet file: their length says how many rows are read at a time."""


class Table:
    """The rows of a table, piece by piece; `Csv` and `Parquet` know where they come from."""

    format: OutputFormat
    delimiter = ","

    def __init__(
        self,
        schema: Mapping[str, pl.DataType],
        inputs: Sequence[TensorSpec],
        options: BatchOptions,
        features: Sequence[str],
    ) -> None:
        self.notes: list[str] = []
        self._options = options
        names = list(schema)
        nested = frozenset(name for name, dtype in schema.items() if dtype.is_nested())
        self.inputs = columns_of(inputs, names, asked=options.columns, features=features, nested=nested)
        self._kept = kept_of(options, names)
        self._cells = Cells(inputs, self.inputs, schema, options.empty)

    @property
    def decimal(self) -> str:
        """The decimal mark of its numbers."""
        return self._cells.decimal

    def _chunk(self, frame: pl.DataFrame, ragged: Mapping[int, str]) -> Chunk:
        feeds, wrong = self._cells.arrays(frame)
        wrong |= ragged
        feeds, good = without(feeds, frame.height, wrong)
        return Chunk(frame.height, feeds, good, wrong, frame.select(self._kept))


def kept_of(options: BatchOptions, names: Sequence[str]) -> list[str]:
    """The columns that are written beside the predictions."""
    keep = options.keep_columns
    if keep == "all":
        return list(names)
    if keep == "none":
        return []
    if missing := [name for name in keep if name not in names]:
        raise UnfitColumns(f"`keep_columns` names {missing[0]!r}, which the file does not have.")
    return list(keep)


class Csv(Table):
    """A text with delimiters.

    Raises:
        Problem: what `TextPieces` and `columns_of` raise.
    """

    format: OutputFormat = "csv"

    def __init__(
        self, path: Path, inputs: Sequence[TensorSpec], options: BatchOptions, features: Sequence[str] = ()
    ) -> None:
        reading = options.reading()
        self._of_piece = 0.0
        self._text = TextPieces(path, path.parent, reading)
        super().__init__(dict.fromkeys(self._text.names, pl.String()), inputs, options, features)
        delimiter = self._text.delimiter
        self.delimiter = "," if delimiter == NONE else delimiter
        self.notes += [note.message for note in self._text.draft.notes]
        head = next(self._text.pieces(), None)
        if head is None:
            raise EmptyTable("The table has names and no rows. Send one with a row at least.")
        self._cells.look_at(head.frame.head(LOOKED_AT), reading, self.delimiter)

    @property
    def fraction(self) -> float:
        """How much of it was read."""
        return self._text.fraction(self._of_piece)

    def chunks(self) -> Iterator[Chunk]:
        """Its rows."""
        rows = self._options.chunk_rows
        for piece in self._text.pieces():
            for start in range(0, piece.frame.height, rows):
                self._of_piece = min(1.0, (start + rows) / piece.frame.height)
                yield self._chunk(piece.frame.slice(start, rows), _wrong_of(piece, start, rows))
        self._text.close()


def _wrong_of(piece: Piece, start: int, rows: int) -> dict[int, str]:
    return {row - start: words for row, words in piece.wrong.items() if start <= row < start + rows}


class Parquet(Table):
    """A Parquet file.

    Raises:
        DamagedTable: it cannot be read.
        EmptyTable: it has no row.
        UnfitColumns: its columns do not fit.
    """

    format: OutputFormat = "parquet"

    def __init__(
        self, path: Path, inputs: Sequence[TensorSpec], options: BatchOptions, features: Sequence[str] = ()
    ) -> None:
        with damage_told("The Parquet file", pl.exceptions.PolarsError, OSError):
            frame = pl.scan_parquet(path, glob=False)
            found = frame.collect_schema()
            self._rows = int(frame.select(pl.len()).collect().item())
        if not self._rows:
            raise EmptyTable("The table has no row. Send one with a row at least.")
        names, notes = named(list(found))
        schema = dict(zip(names, found.dtypes(), strict=True))
        super().__init__(schema, inputs, options, features)
        self.notes += [note.message for note in notes]
        wanted = list(dict.fromkeys([*(one for part in self.inputs.values() for one in part), *self._kept]))
        originals = dict(zip(names, found, strict=True))
        nested = {one for spec in inputs if width_of(spec) is None for one in self.inputs[spec.name]}
        self._free = [name for name in wanted if name in nested and isinstance(schema[name], pl.List)]
        self._frame = frame.select(pl.col(originals[name]).alias(name) for name in wanted)
        self._read = 0
        texts = [name for name in wanted if schema[name] == pl.String]
        with damage_told("The Parquet file", pl.exceptions.PolarsError, OSError):
            first = self._frame.head(FIRST_ROWS).collect()
            self._rows_of_a_chunk = rows_of_a_chunk(options.chunk_rows, first.estimated_size() / first.height)
        if texts:
            with damage_told("The Parquet file", pl.exceptions.PolarsError, OSError):
                head = self._frame.select(texts).head(LOOKED_AT).collect()
            full = head.with_columns(pl.lit(None, schema[name]).alias(name) for name in wanted if name not in texts)
            self._cells.look_at(full, options.reading(), None)

    @property
    def fraction(self) -> float:
        """How much of it was read."""
        return self._read / self._rows

    def chunks(self) -> Iterator[Chunk]:
        """Its rows."""
        with damage_told("The Parquet file", pl.exceptions.PolarsError, OSError):
            for frame in self._frame.collect_batches(chunk_size=self._rows_of_a_chunk, maintain_order=True):
                for slice_ in frame.iter_slices(self._rows_of_a_chunk):
                    for part in self._alike(slice_):
                        self._read += part.height
                        yield self._chunk(part, {})

    def _alike(self, frame: pl.DataFrame) -> list[pl.DataFrame]:
        """The rows; where a model takes lists of any length, those that follow one another and are of one length."""
        if not self._free:
            return [frame]
        lengths = np.column_stack([frame[name].list.len().fill_null(0).to_numpy() for name in self._free])
        ends = np.flatnonzero((lengths[1:] != lengths[:-1]).any(axis=1)) + 1
        return [frame[start:end] for start, end in pairwise([0, *ends.tolist(), frame.height])]
