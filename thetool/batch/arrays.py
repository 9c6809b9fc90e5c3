"""`.npy` files: the rows of one array, read a part at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thetool.batch.chunk import Chunk, rows_of_a_chunk, without
from thetool.batch.problems import UnfitColumns
from thetool.batch.schemas import BatchOptions, OutputFormat
from thetool.serving.runtime import npy
from thetool.serving.runtime.checking import check_feeds
from thetool.serving.runtime.problems import InvalidInput
from thetool.serving.runtime.tensors import TensorSpec
from thetool.tables.reading.problems import EmptyTable

if TYPE_CHECKING:
    import numpy as np

MAGIC = b"\x93NUMPY"


class Array:
    """The array of a `.npy` file, its rows outermost.

    Raises:
        InvalidInput: it is damaged, holds objects (pickles, which are never read), or does not fit.
        EmptyTable: it has no row.
        UnfitColumns: the model has several inputs.
    """

    format: OutputFormat = "npy"
    delimiter, decimal = ",", "."

    def __init__(self, path: Path, inputs: Sequence[TensorSpec], options: BatchOptions) -> None:
        import numpy as np

        if len(inputs) > 1:
            names = ", ".join(repr(spec.name) for spec in inputs)
            raise UnfitColumns(f"A .npy file is one array; the model takes {names}. Send Parquet, CSV or JSON Lines.")
        (self._spec,) = inputs
        self._path = path
        with path.open("rb") as file:
            self._header = npy.header_of(file, self._spec, path.stat().st_size)
        if not self._header.shape or not self._header.shape[0]:
            raise EmptyTable("The array has no row. Send one with a row at least.")
        row_bytes = prod(self._header.shape[1:]) * self._header.dtype.itemsize
        self._rows_of_a_chunk = rows_of_a_chunk(options.chunk_rows, row_bytes)
        self._row = 0
        self.inputs: dict[str, list[str]] = {self._spec.name: []}
        self.notes: list[str] = []
        empty = np.empty((1, *self._header.shape[1:]), self._header.dtype)
        check_feeds({self._spec.name: npy.cast(np.zeros_like(empty), self._spec)}, inputs)

    @property
    def fraction(self) -> float:
        """How much of it was read."""
        return self._row / int(self._header.shape[0])

    def chunks(self) -> Iterator[Chunk]:
        """Its rows."""
        import numpy as np

        shape, header = self._header.shape, self._header
        row_of = prod(shape[1:])
        with self._path.open("rb") as file:
            file.seek(header.offset)
            for start in range(0, shape[0], self._rows_of_a_chunk):
                rows = min(self._rows_of_a_chunk, shape[0] - start)
                if header.by_columns and len(shape) > 1:
                    whole = np.memmap(self._path, header.dtype, "r", header.offset, shape, order="F")
                    part = np.array(whole[start : start + rows], order="C")
                    del whole  # what was mapped does not stay in memory
                else:
                    part = np.fromfile(file, header.dtype, rows * row_of).reshape(rows, *shape[1:])
                self._row = start + rows
                yield self._chunk(part)

    def _chunk(self, part: np.ndarray[Any, Any]) -> Chunk:
        import numpy as np

        name, rows = self._spec.name, len(part)
        try:
            return Chunk(rows, {name: npy.cast(part, self._spec)})
        except InvalidInput:
            pass
        taken = np.zeros(part.shape, object if self._spec.dtype == "string" else self._spec.dtype)
        wrong: dict[int, str] = {}
        for row in range(rows):
            try:
                taken[row] = npy.cast(part[row : row + 1], self._spec)[0]
            except InvalidInput as error:
                wrong[row] = str(error)
        feeds, good = without({name: taken}, rows, wrong)
        return Chunk(rows, feeds, good, wrong)
