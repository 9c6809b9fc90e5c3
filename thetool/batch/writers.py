"""Writing the result chunk by chunk: CSV, Parquet, JSON Lines, or a `.npy` file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import orjson
import polars as pl

from thetool.batch.chunk import Chunk, Source
from thetool.batch.outputs import ERROR, Outputs, errors_of, free_names
from thetool.batch.problems import UnfitModel
from thetool.batch.schemas import OutputFormat
from thetool.serving.runtime.nested import to_json_value
from thetool.tables.reading.sink import ROW_GROUP

MEDIA_TYPES: dict[OutputFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "jsonl": "application/x-ndjson",
    "npy": "application/x-npy",
}
INSTANCE = "instance"
"""What an instance that is no object is called beside its outputs."""


class Writer(Protocol):
    """Writes what came of some rows; `columns` are its columns, once they are known."""

    columns: list[str]

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

    def learn(self, chunk: Chunk, outputs: Outputs) -> None:
        """See which columns there are."""
        kept = _frame_of(chunk)
        made = outputs.frame(flat=self.flat).with_columns(errors_of(chunk.rows, {}))
        self._kept, self._made = kept.columns, free_names(kept.columns, made.columns)
        self.columns = [*self._kept, *self._made]
        self._schema = dict(zip(self.columns, [*kept.dtypes, *made.dtypes], strict=True))

    def table(self, chunk: Chunk, outputs: Outputs, wrong: dict[int, str]) -> pl.DataFrame:
        """The rows of a chunk."""
        kept, errors = _frame_of(chunk), errors_of(chunk.rows, wrong)
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

    def write(self, chunk: Chunk, outputs: Outputs, wrong: dict[int, str]) -> None:
        """Write rows."""
        part = self._path.with_name(f"{self._path.name}-{len(self._parts)}.tmp")
        self._parts.append(part)
        self.table(chunk, outputs, wrong).write_ipc(part)

    def close(self) -> None:
        """Put the parts together."""
        if not self._parts:
            return
        pl.scan_ipc(self._parts).sink_parquet(
            self._path, row_group_size=ROW_GROUP, compression="zstd", compression_level=1
        )
        for part in self._parts:
            part.unlink()


class JsonLinesWriter:
    """JSON Lines: what was kept, the outputs as nested lists, and `_error` where a row has no prediction."""

    def __init__(self, path: Path) -> None:
        self.columns: list[str] = []
        self._file = path.open("wb")

    def learn(self, chunk: Chunk, outputs: Outputs) -> None:
        """See what the objects hold."""
        beside = next(iter(_objects_of(chunk)), {})
        self.columns = [*beside, *free_names(list(beside), list(outputs.values)), ERROR]

    def write(self, chunk: Chunk, outputs: Outputs, wrong: dict[int, str]) -> None:
        """Write rows."""
        made = outputs.listed()
        kept = _objects_of(chunk)
        for row, (beside, predicted) in enumerate(zip(kept, made, strict=True)):
            line = _beside(beside, predicted or {})
            if row in wrong:
                line = {**line, ERROR: wrong[row]}
            self._file.write(
                orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)
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


def _frame_of(chunk: Chunk) -> pl.DataFrame:
    """What is kept, as columns; of JSON Lines all but texts as JSON, for its values may be of any type."""
    kept = chunk.kept
    if kept is None or isinstance(kept, pl.DataFrame):
        return pl.DataFrame() if kept is None or not kept.width else kept
    names = list(dict.fromkeys(name for one in kept for name in (one if isinstance(one, dict) else {INSTANCE: one})))
    objects = [one if isinstance(one, dict) else {INSTANCE: one} for one in kept]
    return pl.DataFrame(
        {name: [_text(one.get(name)) for one in objects] for name in names}, dict.fromkeys(names, pl.String)
    )


def _objects_of(chunk: Chunk) -> list[dict[str, Any]]:
    kept = chunk.kept
    if kept is None:
        return [{} for _ in range(chunk.rows)]
    if isinstance(kept, pl.DataFrame):
        if not kept.width:
            return [{} for _ in range(chunk.rows)]
        return [{name: to_json_value(value) for name, value in one.items()} for one in kept.iter_rows(named=True)]
    return [one if isinstance(one, dict) else {INSTANCE: one} for one in kept]


def _beside(kept: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """Both in one object, which may be the first; what was made gets other names where these are taken."""
    if kept.keys().isdisjoint(made):
        kept.update(made)
        return kept
    return {**kept, **dict(zip(free_names(list(kept), list(made)), made.values(), strict=True))}


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
