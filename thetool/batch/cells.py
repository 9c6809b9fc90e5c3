"""From the cells of columns to the arrays that a model takes; a row whose cell is none of the input's type is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from thetool.batch.instances import arrays_of
from thetool.batch.mapping import width_of
from thetool.batch.problems import UnfitColumns
from thetool.serving.runtime.checking import Feeds
from thetool.serving.runtime.nested import EXACT
from thetool.serving.runtime.tensors import TensorSpec
from thetool.tables.reading.columns.deciding import Deciding
from thetool.tables.reading.columns.words import FALSE, NULL_WORDS, TRUE
from thetool.tables.reading.options import ColumnOptions, ReadOptions
from thetool.tables.reading.report import ColumnType
from thetool.tables.reading.sink import Written

if TYPE_CHECKING:
    import numpy as np

LOOKED_AT = 10_000
"""Rows whose numbers tell how all of a column are written: with a comma, with thousands, with signs."""
SAMPLE_ROWS = 400
MOST_CELL = 40
_POLARS = {"float16": pl.Float32, "float32": pl.Float32, "float64": pl.Float64, "bool": pl.Boolean}
_NULLS = sorted({*NULL_WORDS, ""} - {"nan"})


class Cells:
    """The columns that a model takes, as its inputs.

    Args:
        inputs: of the model.
        columns: which of the file each of them takes.
        schema: the types of the file's columns.
        empty: what an empty cell is where floats are taken: `error`, or `nan`.

    Raises:
        UnfitColumns: a column's type is none that becomes the input's.
    """

    def __init__(
        self,
        inputs: Sequence[TensorSpec],
        columns: Mapping[str, list[str]],
        schema: Mapping[str, pl.DataType],
        empty: str,
    ) -> None:
        self.decimal = "."
        self._inputs, self._columns, self._schema = inputs, columns, schema
        self._fills = empty == "nan"
        self._written: dict[str, Any] = {}
        self._settled: frozenset[str] = frozenset()
        for spec in inputs:
            for name in columns[spec.name]:
                _check_type(name, schema[name], spec, alone=len(columns[spec.name]) == 1)

    def look_at(self, head: pl.DataFrame, options: ReadOptions, delimiter: str | None) -> None:
        """See in the first rows how numbers are written."""
        numeric = [spec for spec in self._inputs if spec.dtype not in ("string", "bool")]
        names = list(dict.fromkeys(name for spec in numeric for name in self._columns[spec.name]))
        names = [name for name in names if self._schema[name] == pl.String]
        head = head.select(names).head(LOOKED_AT)
        if not names or not head.height:
            return
        asked = {name: ColumnOptions(type=ColumnType.NUMBER) for name in names}
        wanted = options.model_copy(update={"columns": asked})
        values = {name: head.height - head[name].null_count() for name in names}
        sample = head.gather_every(max(1, head.height // SAMPLE_ROWS)).to_dict(as_series=False)
        text = Written(head, head.height, "in-memory", values, dict(sample))
        decided = Deciding(text, names, {}, {}, wanted, delimiter, lambda _: None).decide()
        commas = {name for name, one in decided.items() if one.decimal == "," or "." in one.thousands}
        if options.decimal == ",":
            commas = set(names)
        self._written = {name: one.value for name, one in decided.items()}
        self._settled = frozenset(commas)
        self.decimal = "," if commas else "."

    def arrays(self, frame: pl.DataFrame) -> tuple[Feeds, dict[int, str]]:
        """The arrays of all rows, and of those that are none, why; their values in the arrays mean nothing."""
        feeds: Feeds = {}
        wrong: dict[int, str] = {}
        for spec in self._inputs:
            names = self._columns[spec.name]
            array, bad = self._nested(frame, names[0], spec) if self._is_nested(names) else self._flat(frame, spec)
            feeds[spec.name] = array
            for row, words in bad.items():
                wrong.setdefault(row, words)
        return feeds, wrong

    def _is_nested(self, names: Sequence[str]) -> bool:
        return len(names) == 1 and self._schema[names[0]].is_nested()

    def _nested(self, frame: pl.DataFrame, name: str, spec: TensorSpec) -> tuple[np.ndarray[Any, Any], dict[int, str]]:
        return arrays_of([one.to_list() if isinstance(one, pl.Series) else one for one in frame[name]], spec)

    def _flat(self, frame: pl.DataFrame, spec: TensorSpec) -> tuple[np.ndarray[Any, Any], dict[int, str]]:
        import numpy as np

        names = self._columns[spec.name]
        values = frame.select(self._value(name, spec).alias(str(at)) for at, name in enumerate(names))
        wrong: dict[int, str] = {}
        for at, name in enumerate(names):
            if values[str(at)].null_count():
                for row, words in _reasons(frame[name], values[str(at)], spec):
                    wrong.setdefault(row, words)
        if spec.dtype == "string":
            array = np.empty((frame.height, len(names)), dtype=object)
            for at in range(len(names)):
                array[:, at] = values[str(at)].to_list()
        else:
            array = values.fill_null(False if spec.dtype == "bool" else 0).to_numpy(order="c")
            with np.errstate(over="ignore"):
                array = array.astype(spec.dtype, copy=False)
        if spec.dtype.startswith("float") and np.isinf(array).any():
            wrong = {**self._beyond(frame, array, spec), **wrong}
        return array.reshape(_shape(frame.height, len(names), spec)), wrong

    def _value(self, name: str, spec: TensorSpec) -> pl.Expr:
        """A column as the input's type; null where it is none."""
        column, dtype = pl.col(name), self._schema[name]
        if spec.dtype == "string":
            return column.cast(pl.String).fill_null("")
        if spec.dtype == "bool":
            return _truth(column) if dtype == pl.String else column
        wanted = _POLARS.get(spec.dtype) or getattr(pl, spec.dtype.replace("uint", "UInt").replace("int", "Int"))
        is_float = spec.dtype.startswith("float")
        if dtype == pl.String:
            value = self._number(name, wanted, is_float)
        elif is_float or dtype.is_integer():
            value = column.cast(wanted, strict=False)
        else:
            value = _whole(column, wanted)
        if is_float and self._fills:
            return pl.when(_is_empty(column, dtype)).then(pl.lit(float("nan"), wanted)).otherwise(value)
        return value

    def _number(self, name: str, wanted: Any, is_float: bool) -> pl.Expr:
        """The number of a text: as programs write it, else as this column's are written."""
        column, written = pl.col(name), self._written.get(name)
        plain = column.cast(wanted, strict=False)
        if written is None:
            return plain
        as_written = written(column)
        other = as_written.cast(wanted, strict=False) if is_float else _whole(as_written, wanted)
        return other if name in self._settled else _or_else(plain, other, column)

    def _beyond(self, frame: pl.DataFrame, array: np.ndarray[Any, Any], spec: TensorSpec) -> dict[int, str]:
        """Rows with a number that the type cannot hold; infinity itself is one that it can."""
        import numpy as np

        found: dict[int, str] = {}
        for row, at in zip(*np.nonzero(np.isinf(array)), strict=True):
            name = self._columns[spec.name][at]
            cell = frame[name][int(row)]
            wide = float(cell) if not isinstance(cell, str) else pl.Series([cell]).cast(pl.Float64, strict=False)[0]
            if wide is None or np.isfinite(wide):
                found.setdefault(int(row), f"{name} is {_short(cell)}, which is beyond {spec.dtype}")
        return found


def _or_else(plain: pl.Expr, other: pl.Expr, column: pl.Expr) -> pl.Expr:
    """`plain`, and `other` only where that is null: its patterns take much longer."""

    def rest(parts: Sequence[pl.Series]) -> pl.Series:
        value, text = parts
        missing = value.is_null() & text.is_not_null()
        if not missing.any():
            return value
        name = text.name
        found = pl.DataFrame({name: text.filter(missing)}).select(other.alias("found"))["found"]
        return value.scatter(missing.arg_true(), found.cast(value.dtype))

    return pl.map_batches([plain, column], rest)


def _whole(number: pl.Expr, wanted: Any) -> pl.Expr:
    """Numbers without a fraction as integers, null else: also where they may stand for another integer."""
    return pl.when((number == number.floor()) & (number.abs() < EXACT)).then(number).cast(wanted, strict=False)


def _truth(column: pl.Expr) -> pl.Expr:
    words = column.str.strip_chars().str.to_lowercase()
    return pl.when(words.is_in(sorted(TRUE))).then(True).when(words.is_in(sorted(FALSE))).then(False)


def _is_empty(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype != pl.String:
        return column.is_null()
    return column.is_null() | column.str.strip_chars().str.to_lowercase().is_in(_NULLS)


def _reasons(cells: pl.Series, values: pl.Series, spec: TensorSpec) -> list[tuple[int, str]]:
    """Which rows have no value of the type, and why."""
    what = {"bool": "neither true nor false"}.get(
        spec.dtype, "no number" if spec.dtype.startswith("float") else f"no integer that {spec.dtype} holds"
    )
    rows = values.is_null().arg_true()
    bare = cells.gather(rows).to_list()
    return [
        (row, f"{cells.name} is empty" if _nothing(cell) else f"{cells.name} is {_short(cell)}, which is {what}")
        for row, cell in zip(rows.to_list(), bare, strict=True)
    ]


def _nothing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in _NULLS)


def _short(cell: Any) -> str:
    text = repr(cell) if isinstance(cell, str) else str(cell)
    return text if len(text) <= MOST_CELL else f"{text[:MOST_CELL]}…"


def _shape(rows: int, columns: int, spec: TensorSpec) -> tuple[int, ...]:
    if spec.shape is None:
        return rows, columns
    if width_of(spec) is None:
        free = sum(length is None for length in spec.shape[1:])
        if len(spec.shape) != 2 or free != 1:
            raise UnfitColumns(f"The input {spec.name!r} ({spec}) is not made of single columns; send nested lists.")
        return rows, columns
    return (rows, *(length for length in spec.shape[1:] if length is not None))


def _check_type(name: str, dtype: pl.DataType, spec: TensorSpec, *, alone: bool) -> None:
    """Nothing is cast that would become another value, as in predictions: true is no number, a date is none.

    A column of lists is all of an input, or none of it.
    """
    text = dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)
    if spec.dtype == "string":
        fits = text
    elif spec.dtype == "bool":
        fits = dtype == pl.Boolean or dtype == pl.String
    else:
        fits = dtype.is_numeric() or dtype == pl.String
    if not fits and not (alone and dtype.is_nested()):
        raise UnfitColumns(f"The column {name!r} is {dtype}; the input {spec.name!r} takes {spec.dtype}.")
