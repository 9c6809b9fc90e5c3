"""Writing the result chunk by chunk: CSV, Parquet, JSON Lines, or a `.npy` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import orjson
import polars as pl

from thetool.batch.chunk import CHUNK_BYTES, Chunk, Source
from thetool.batch.kept import beside, frame_of, in_words, objects_of
from thetool.batch.outputs import ERROR, Outputs, errors_of, free_names
from thetool.batch.problems import UnfitModel
from thetool.batch.schemas import OutputFormat
from thetool.tables.reading.sink import ROW_GROUP

MEDIA_TYPES: dict[OutputFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/x-ndjson",
    "npy": "application/x-npy",
}
MOST_TOLD = 10
MOST_TABLES = 1_000
"""So many small chunks, or `CHUNK_BYTES` of them, are one part of a Parquet file."""


class Writer(Protocol):
    """Writes what came of some rows; `columns` are its columns, once they are known, and `notes` what it left out."""

    columns: list[str]

    @property
    def notes(self) -> list[str]:
        """What is to be known of the result besides."""

    def learn(self, chunk: Chunk, outputs: Outputs) -> None:
        """See which columns there are; called once, before anything is written, with the first outputs."""

    def write(self, chunk: Chunk, outputs: Outputs, wrong: dict[int, str]) -> None:
        """Write the rows of a chunk, the wrong ones too."""

    def close(self) -> None:
        """End the file."""


def writer_for(kind: OutputFormat, path: Path, source: Source) -> Writer:
    """What writes a file of this kind."""
    if kind == "csv":
        return CsvWriter(path, source.delimiter, comma=source.decimal == ",")
    if kind == "parquet":
        return ParquetWriter(path)
    return JsonLinesWriter(path) if kind == "jsonl" else NpyWriter(path)


class _Columns:
    """The columns of a table: those that are kept, then the outputs, then `_error`. All rows have those of the first.

    `flat`: what has dimensions of its own is JSON text.
    """

    flat = False

    def __init__(self) -> None:
        self.columns: list[str] = []
        self._kept: list[str] = []
        self._made: list[str] = []
        self._schema: dict[str, pl.DataType] = {}
        self._left_out: dict[str, None] = {}

    @property
    def notes(self) -> list[str]:
        """Which fields were left out."""
        if not self._left_out:
            return []
        which = ", ".join(repr(name[:60]) for name in list(self._left_out)[:MOST_TOLD])
        return [f"Fields that only later instances have are left out: {which}. JSON Lines keep them."]

    def learn(self, chunk: Chunk, outputs: Outputs) -> None:
        """See which columns there are."""
        kept = self._frame_of(chunk)
        made = outputs.frame(flat=self.flat).with_columns(errors_of(chunk.rows, {}))
        self._kept, self._made = kept.columns, free_names(kept.columns, made.columns)
        self.columns = [*self._kept, *self._made]
        self._schema = dict(zip(self.columns, [*kept.dtypes, *made.dtypes], strict=True))

    def table(self, chunk: Chunk, outputs: Outputs, wrong: dict[int, str]) -> pl.DataFrame:
        """The rows of a chunk."""
        kept, errors = self._frame_of(chunk), errors_of(chunk.rows, wrong)
        if late := [name for name in kept.columns if name not in self._kept]:
            self._left_out |= dict.fromkeys(late[: MOST_TOLD - len(self._left_out)])
            kept = kept.select(name for name in kept.columns if name in self._kept)
        if outputs.is_empty:
            made = pl.DataFrame({self._made[-1]: errors})
        else:
            found = outputs.frame(flat=self.flat).with_columns(errors)
            if found.width != len(self._made):
                raise UnfitModel("Its outputs have other columns further on in the file; ask for JSON Lines.")
            made = found.rename(dict(zip(found.columns, self._made, strict=True)))
        columns = {**{name: kept[name] for name in kept.columns}, **{name: made[name] for name in made.columns}}
        return pl.DataFrame(
            {
                name: columns[name].cast(dtype)
                if name in columns
                else pl.repeat(None, chunk.rows, dtype=dtype, eager=True)
                for name, dtype in self._schema.items()
            }
        )

    def _frame_of(self, chunk: Chunk) -> pl.DataFrame:
        kept = frame_of(chunk)
        return in_words(kept, lists=True) if self.flat else kept


class CsvWriter(_Columns):
    """CSV with the delimiter and the decimal mark that came."""

    flat = True

    def __init__(self, path: Path, delimiter: str, *, comma: bool) -> None:
        super().__init__()
        self._file = path.open("wb")
        self._delimiter, self._comma = delimiter, comma

    def write(self, chunk: Chunk, outputs: Outputs, wrong: dict[int, str]) -> None:
        """Write rows."""
        table, first = self.table(chunk, outputs, wrong), not self._file.tell()
        table.write_csv(self._file, include_header=first, separator=self._delimiter, decimal_comma=self._comma)

    def close(self) -> None:
        """End the file."""
        self._file.close()


class ParquetWriter(_Columns):
    """Parquet: parts first, for Polars writes such a file in one go only."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._parts: list[Path] = []
        self._tables: list[pl.DataFrame] = []
        self._bytes = 0

    def write(self, chunk: Chunk, outputs: Outputs, wrong: dict[int, str]) -> None:
        """Write rows."""
        table = self.table(chunk, outputs, wrong)
        self._tables.append(table)
        self._bytes += int(table.estimated_size())
        if self._bytes >= CHUNK_BYTES or len(self._tables) >= MOST_TABLES:
            self._write_part()

    def _write_part(self) -> None:
        part = self._path.with_name(f"{self._path.name}-{len(self._parts)}.tmp")
        self._parts.append(part)
        pl.concat(self._tables).write_ipc(part)
        self._tables, self._bytes = [], 0

    def close(self) -> None:
        """Put the parts together."""
        if self._tables:
            self._write_part()
        pl.scan_ipc(self._parts).sink_parquet(
            self._path, row_group_size=ROW_GROUP, compression="zstd", compression_level=1
        )
        for part in self._parts:
            part.unlink()


class JsonLinesWriter:
    """JSON Lines: what was kept, the outputs as nested lists, and `_error` where a row has no prediction."""

    def __init__(self, path: Path) -> None:
        self.columns: list[str] = []
        self.notes: list[str] = []
        self._made: list[str] = []
        self._file = path.open("wb")

    def learn(self, chunk: Chunk, outputs: Outputs) -> None:
        """See what the objects hold."""
        kept = objects_of(chunk)
        self._made = free_names([name for one in kept for name in one], [*outputs.values, ERROR])
        self.columns = [*next(iter(kept), {}), *self._made]

    def write(self, chunk: Chunk, outputs: Outputs, wrong: dict[int, str]) -> None:
        """Write rows."""
        *names, error = self._made
        for row, (kept, predicted) in enumerate(zip(objects_of(chunk), outputs.listed(), strict=True)):
            made = {error: wrong[row]} if predicted is None else dict(zip(names, predicted.values(), strict=True))
            self._file.write(
                orjson.dumps(
                    beside(kept, made), default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
                )
            )

    def close(self) -> None:
        """End the file."""
        self._file.close()


class NpyWriter:
    """A `.npy` file of the model's one output; rows without a prediction are NaN, or 0 where numbers have no fraction.

    Raises:
        UnfitModel: there are several outputs, or texts, or shapes that differ.
    """

    def __init__(self, path: Path) -> None:
        self.columns: list[str] = []
        self.notes: list[str] = []
        self._file = path.open("w+b")
        self._rows, self._header = 0, 0
        self._tail: tuple[int, ...] = ()
        self._dtype: Any = None

    def learn(self, chunk: Chunk, outputs: Outputs) -> None:
        """See what the numbers are."""
        value = next(iter(outputs.values.values()))
        if len(outputs.values) > 1 or not hasattr(value, "dtype") or value.dtype.kind not in "fiub":
            raise UnfitModel("A .npy file holds one output of numbers; ask for Parquet, CSV or JSON Lines.")
        self._dtype, self._tail = value.dtype, value.shape[1:]
        self._write_header()

    def write(self, chunk: Chunk, outputs: Outputs, wrong: dict[int, str]) -> None:
        """Write rows."""
        import numpy as np

        (value,) = outputs.values.values()
        if outputs.done is not None:
            whole = np.full((chunk.rows, *self._tail), np.nan if self._dtype.kind == "f" else 0, self._dtype)
            if not outputs.is_empty:
                whole[outputs.done] = self._checked(value)
            value = whole
        self._file.write(np.ascontiguousarray(self._checked(value)).tobytes())
        self._rows += chunk.rows

    def close(self) -> None:
        """Write how many rows there are."""
        if self._header:
            self._file.seek(0)
            self._write_header()
        self._file.close()

    def _checked(self, value: Any) -> Any:
        if not hasattr(value, "dtype") or (value.dtype, value.shape[1:]) != (self._dtype, self._tail):
            raise UnfitModel("Its output has other shapes further on in the file; ask for JSON Lines.")
        return value

    def _write_header(self) -> None:
        """NumPy leaves room in it for a first dimension that grows."""
        import numpy as np

        descr = np.lib.format.dtype_to_descr(self._dtype)
        told = {"descr": descr, "fortran_order": False, "shape": (self._rows, *self._tail)}
        np.lib.format.write_array_header_1_0(self._file, told)
        if self._header not in (0, self._file.tell()):
            raise RuntimeError("the header of a .npy file has another length than before")
        self._header = self._file.tell()
