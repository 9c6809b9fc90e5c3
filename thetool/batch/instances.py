"""JSON Lines: an instance on each line: a value, a list, or an object with a value for each input or column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from thetool.batch.chunk import CHUNK_BYTES, Chunk, without
from thetool.batch.mapping import columns_of, width_of
from thetool.batch.schemas import BatchOptions, OutputFormat
from thetool.serving.runtime.nested import to_array
from thetool.serving.runtime.problems import InvalidInput
from thetool.serving.runtime.tensors import TensorSpec
from thetool.tables.reading.limits import LIMITS
from thetool.tables.reading.problems import EmptyTable, TableTooLarge

if TYPE_CHECKING:
    import numpy as np

_MISSING: Any = object()


def arrays_of(values: Sequence[Any], spec: TensorSpec) -> tuple[np.ndarray[Any, Any], dict[int, str]]:
    """The array of an input from a value for each row, as predictions take them; and which rows are none, and why."""
    wrong: dict[int, str] = {}
    try:
        return _array(values, spec), wrong
    except InvalidInput:
        pass
    good: list[Any] = []
    shapes: dict[tuple[int, ...], int] = {}
    for row, value in enumerate(values):
        try:
            array = _array([value], spec)
        except InvalidInput as error:
            wrong[row] = str(error)
            continue
        shapes[array.shape] = shapes.get(array.shape, 0) + 1
        good.append((row, array))
    usual = max(shapes, key=lambda shape: shapes[shape], default=None)
    return _together(len(values), good, usual, spec, wrong), wrong


def _array(values: Sequence[Any], spec: TensorSpec) -> np.ndarray[Any, Any]:
    """All rows at once; InvalidInput when one of them is wrong."""
    array = to_array(list(values), spec)
    wanted = spec.shape
    if wanted is None:
        return array
    if len(wanted) == array.ndim + 1 and wanted[-1] == 1:  # a column of single values
        array = array[..., None]
    if array.ndim != len(wanted) or any(
        length not in (None, came) for length, came in zip(wanted[1:], array.shape[1:], strict=True)
    ):
        raise InvalidInput.of(spec.name, f"a row of shape {list(array.shape[1:])}", str(spec))
    return array


def _together(
    rows: int, good: list[Any], usual: tuple[int, ...] | None, spec: TensorSpec, wrong: dict[int, str]
) -> np.ndarray[Any, Any]:
    """One array of single ones; those of another shape than most are wrong."""
    import numpy as np

    tail = usual[1:] if usual else ()
    array = np.zeros((rows, *tail), dtype=object if spec.dtype == "string" else spec.dtype)
    for row, one in good:
        if one.shape != usual:
            wrong[row] = f"Input {spec.name!r}: a row of shape {list(one.shape[1:])} came, others have {list(tail)}."
        else:
            array[row] = one[0]
    return array


def _shape(value: Any) -> list[int]:
    """The lengths of nested lists, as the first of each say."""
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


class Instances:
    """The instances of a file of JSON Lines. Where a model takes rows of any length, those of one length go together.

    Raises:
        EmptyTable: it has none.
        UnfitColumns: the first one lacks what the model takes.
    """

    format: OutputFormat = "jsonl"
    delimiter, decimal = ",", "."

    def __init__(
        self, path: Path, inputs: Sequence[TensorSpec], options: BatchOptions, features: Sequence[str] = ()
    ) -> None:
        self.notes: list[str] = []
        self._path, self._inputs, self._options = path, inputs, options
        self._size = max(1, path.stat().st_size)
        self._at = 0
        first = next((value for _, value, why in self._lines() if why is None), _MISSING)
        if first is _MISSING:
            raise EmptyTable("No line of it is JSON. Send one instance on each line.")
        self._named = isinstance(first, dict)
        self._free = [spec for spec in inputs if width_of(spec) is None]
        self.inputs: dict[str, list[str]] = {spec.name: [] for spec in inputs}
        self._getters: dict[str, Callable[[Any], tuple[Any, ...]]] = {}
        if isinstance(first, dict):
            nested = frozenset(name for name, value in first.items() if isinstance(value, list))
            self.inputs = columns_of(inputs, list(first), asked=options.columns, features=features, nested=nested)
            self._getters = {name: itemgetter(*columns) for name, columns in self.inputs.items() if len(columns) > 1}

    @property
    def fraction(self) -> float:
        """How much of the file was read."""
        return min(1.0, self._at / self._size)

    def chunks(self) -> Iterator[Chunk]:
        """Its instances."""
        values: list[Any] = []
        wrong: dict[int, str] = {}
        began, before = 0, None
        for _, value, why in self._lines():
            shapes = [_shape(self._value(value, spec)) for spec in self._free]
            if values and (
                len(values) >= self._options.chunk_rows or self._at - began >= CHUNK_BYTES or shapes != before
            ):
                yield self._chunk(values, wrong)
                values, wrong, began = [], {}, self._at
            if why is not None:
                wrong[len(values)] = why
            values.append(value)
            before = shapes
        if values:
            yield self._chunk(values, wrong)

    def _chunk(self, values: list[Any], wrong: dict[int, str]) -> Chunk:
        feeds = {}
        bad = dict(wrong)
        for spec in self._inputs:
            given = [None if row in wrong else self._value(value, spec) for row, value in enumerate(values)]
            feeds[spec.name], found = arrays_of(given, spec)
            for row, words in found.items():
                bad.setdefault(row, words)
        feeds, good = without(feeds, len(values), bad)
        return Chunk(len(values), feeds, good, bad, self._kept(values))

    def _value(self, value: Any, spec: TensorSpec) -> Any:
        """What an instance has for an input; None, which no input takes, where it lacks it."""
        if not self._named:
            return value if len(self._inputs) == 1 else None
        if not isinstance(value, dict):
            return None
        columns = self.inputs[spec.name]
        if spec.name in self._getters:
            try:
                return list(self._getters[spec.name](value))
            except KeyError:
                return [value.get(name) for name in columns]
        if len(columns) == 1 and (isinstance(value.get(columns[0]), list) or width_of(spec) in (1, None)):
            return value.get(columns[0])
        return [value.get(name) for name in columns]

    def _kept(self, values: list[Any]) -> list[Any] | None:
        keep = self._options.keep_columns
        if keep == "none":
            return None
        if keep == "all":
            return values
        return [{name: one.get(name) for name in keep} if isinstance(one, dict) else {} for one in values]

    def _lines(self) -> Iterator[tuple[int, Any, str | None]]:
        """Number and value of each line that is not blank; or what is wrong about it."""
        self._at = 0
        most = LIMITS.record_characters
        with self._path.open("rb") as file:
            number = 0
            while line := file.readline(most + 1):
                if len(line) > most:
                    raise TableTooLarge(f"A line is longer than {most:,} bytes, the most that an instance may have.")
                self._at += len(line)
                number += 1
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if not line.strip():
                    continue
                try:
                    yield number, orjson.loads(line), None
                except orjson.JSONDecodeError as error:
                    yield number, None, f"Line {number:,} is not JSON: {error}."
