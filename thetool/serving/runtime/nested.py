"""Nested lists of JSON to arrays and back, strictly: nothing is cast that would become another value.

JSON has no NaN and no infinity; the strings "NaN", "Infinity" and "-Infinity" stand for them in both directions, as in
the JSON of Protocol Buffers (protobuf.dev, "ProtoJSON format").
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, Any

from thetool.serving.runtime.problems import InvalidInput
from thetool.serving.runtime.tensors import TensorSpec, shape_text

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

SPECIAL = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
MOST_DIMENSIONS = 32
EXACT = 2.0**53
"""From here on a floating-point number may stand for another integer than was written."""
_JSON_NAMES = {bool: "boolean", type(None): "null", str: "string", dict: "object", int: "integer", float: "number"}


def to_array(value: Any, spec: TensorSpec) -> Array:
    """The array of an input from nested lists.

    Raises:
        InvalidInput: the lists are ragged, or hold something that the input's type does not.
    """
    shape, leaves = flatten(value, spec)
    return leaves_to_array(leaves, shape, spec)


def flatten(value: Any, spec: TensorSpec) -> tuple[tuple[int, ...], Sequence[Any]]:
    """The shape of nested lists, and what they hold in row-major order; ragged ones raise InvalidInput."""
    shape: list[int] = []
    level: Sequence[Any] = [value]
    while True:
        kinds = set(map(type, level))
        if list not in kinds:
            return tuple(shape), level
        if len(kinds) > 1:
            where = next(index for index, one in enumerate(level) if type(one) is not list)
            raise _ragged(spec, shape, where, "a value where others have a list")
        if len(shape) == MOST_DIMENSIONS:
            raise InvalidInput.of(spec.name, f"more than {MOST_DIMENSIONS} nested lists", str(spec))
        lengths = set(map(len, level))
        if len(lengths) > 1:
            first = len(level[0])
            where = next(index for index, one in enumerate(level) if len(one) != first)
            raise _ragged(spec, shape, where, f"a list of {len(level[where])} where others have {first}")
        shape.append(lengths.pop())
        level = list(chain.from_iterable(level))
        if not level:
            return tuple(shape), level


def leaves_to_array(leaves: Sequence[Any], shape: tuple[int, ...], spec: TensorSpec) -> Array:
    """The array of an input from its values in row-major order; raises InvalidInput."""
    import numpy as np

    if len(leaves) != prod(shape):
        raise InvalidInput.of(spec.name, f"{len(leaves)} values for the shape {shape_text(shape)}", str(spec))
    kinds = set(map(type, leaves))
    if spec.dtype == "string":
        _require(leaves, kinds, {str}, shape, spec)
        array = np.empty(len(leaves), dtype=object)
        array[:] = leaves
        return array.reshape(shape)
    if spec.dtype == "bool":
        _require(leaves, kinds, {bool}, shape, spec)
        return np.array(leaves, dtype=np.bool_).reshape(shape)
    if spec.dtype.startswith("float"):
        return _floats(leaves, kinds, shape, spec)
    return _integers(leaves, kinds, shape, spec)


def _floats(leaves: Sequence[Any], kinds: set[type], shape: tuple[int, ...], spec: TensorSpec) -> Array:
    import numpy as np

    if str in kinds:
        leaves = [SPECIAL.get(one, one) if type(one) is str else one for one in leaves]
        kinds = set(map(type, leaves))
    _require(leaves, kinds, {float, int}, shape, spec)
    wide = np.array(leaves, dtype=np.float64)
    if spec.dtype == "float64":
        return wide.reshape(shape)
    with np.errstate(over="ignore"):
        array = wide.astype(spec.dtype)
    if np.isinf(array).any():
        lost = np.flatnonzero(np.isinf(array) & np.isfinite(wide))
        if lost.size:
            raise _wrong(spec, f"the number {leaves[lost[0]]}", shape, int(lost[0]), f"It is beyond {spec.dtype}.")
    return array.reshape(shape)


def _integers(leaves: Sequence[Any], kinds: set[type], shape: tuple[int, ...], spec: TensorSpec) -> Array:
    import numpy as np

    if float in kinds:
        leaves = [int(one) if type(one) is float and one.is_integer() and abs(one) < EXACT else one for one in leaves]
        kinds = set(map(type, leaves))
    _require(leaves, kinds, {int}, shape, spec)
    if leaves:
        bounds = np.iinfo(spec.dtype)
        for extreme in (min(leaves), max(leaves)):
            if not bounds.min <= extreme <= bounds.max:
                where = leaves.index(extreme)
                raise _wrong(spec, f"the number {extreme}", shape, where, f"{spec.dtype} ends at {bounds.max}.")
    return np.array(leaves, dtype=spec.dtype).reshape(shape)


def _require(
    leaves: Sequence[Any], kinds: set[type], allowed: set[type], shape: tuple[int, ...], spec: TensorSpec
) -> None:
    if kinds <= allowed:
        return
    where = next(index for index, one in enumerate(leaves) if type(one) not in allowed)
    value = leaves[where]
    came = f"the string {value[:40]!r}" if type(value) is str else f"a {_JSON_NAMES.get(type(value), 'value')}"
    if type(value) is float:
        came = f"the number {value}"
    missing = value is None and spec.dtype.startswith("float")
    raise _wrong(spec, came, shape, where, 'A missing number is the string "NaN".' if missing else "")


def _wrong(spec: TensorSpec, came: str, shape: tuple[int, ...], where: int, hint: str) -> InvalidInput:
    return InvalidInput.of(spec.name, f"{came}{_place(shape, where)}", str(spec), hint)


def _ragged(spec: TensorSpec, shape: Sequence[int], where: int, what: str) -> InvalidInput:
    return InvalidInput.of(spec.name, f"{what}{_place(shape, where)}", str(spec), "All rows have the same length.")


def _place(shape: Sequence[int], where: int) -> str:
    """Where a value is, as ` at [1][3]`."""
    indices: list[int] = []
    for length in reversed(shape):
        where, index = divmod(where, length)
        indices.append(index)
    return f" at {''.join(f'[{index}]' for index in reversed(indices))}" if indices else ""


def to_json_value(value: Any) -> Any:
    """An output as `orjson` writes it (with OPT_SERIALIZE_NUMPY): the array itself, lists where JSON needs other words.

    Sequences and maps, which older classifiers give, stay lists and objects.
    """
    import numpy as np

    if not isinstance(value, np.ndarray):
        return _plain(value)
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        return _with_words(value.tolist())
    if value.dtype.kind in "OUS" or not value.ndim:
        return value.tolist()
    return np.ascontiguousarray(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return _with_words(value)
    return to_json_value(value) if hasattr(value, "dtype") and hasattr(value, "tolist") else value


def _with_words(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_words(one) for one in value]
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value
