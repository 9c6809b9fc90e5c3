"""Which columns of a file each input of a model takes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from thetool.batch.problems import UnfitColumns, UnfitModel
from thetool.batch.schemas import Names
from thetool.serving.runtime.tensors import TensorSpec

MOST_NAMED = 12


def width_of(spec: TensorSpec) -> int | None:
    """How many columns a row of an input has; None where any number will do."""
    if spec.shape is None:
        return None
    lengths = [length for length in spec.shape[1:] if length is not None]
    return prod(lengths) if len(lengths) == len(spec.shape) - 1 else None


def require_rows(inputs: Sequence[TensorSpec]) -> None:
    """Raise UnfitModel unless each input takes rows: its first dimension is free, or 1, and NumPy has its type."""
    for spec in inputs:
        if spec.dtype == "bfloat16":
            raise UnfitModel(f"Its input {spec.name!r} takes bfloat16, which no file has. Export it with float32.")
        if spec.shape is not None and (not spec.shape or spec.shape[0] not in (None, 1)):
            raise UnfitModel(
                f"Its input {spec.name!r} ({spec}) takes no single rows. Export it with a free first dimension."
            )


def columns_of(
    inputs: Sequence[TensorSpec],
    there: Sequence[str],
    *,
    asked: Names | dict[str, str | Names] | None = None,
    features: Sequence[str] = (),
    nested: frozenset[str] = frozenset(),
) -> dict[str, list[str]]:
    """The columns that each input takes, in its order.

    Args:
        inputs: of the model.
        there: the columns of the file, in their order.
        asked: what the request says of them.
        features: the names that the model itself has for the columns of its one input.
        nested: the columns that hold lists: one of them is enough for an input of any width.

    Raises:
        UnfitColumns: some are missing, or it cannot be told which are meant.
    """
    if asked is not None:
        return _asked(inputs, there, asked, nested)
    found = {spec.name: _by_name(spec, there, nested) for spec in inputs}
    if all(found.values()):
        return {name: columns for name, columns in found.items() if columns}
    if len(inputs) > 1:
        missing = [name for name, columns in found.items() if not columns]
        raise UnfitColumns(f"{_takes(inputs)} Missing in the file: {_listed(missing)}. {_has(there)}")
    return {inputs[0].name: _of_one(inputs[0], there, features)}


def _by_name(spec: TensorSpec, there: Sequence[str], nested: frozenset[str]) -> list[str] | None:
    """The column that is called as the input, or `x[0]`, `x[1]` and so on."""
    width = width_of(spec)
    if spec.name in there and (width in (1, None) or spec.name in nested):
        return [spec.name]
    if width is None:
        numbered: list[str] = []
        while (name := f"{spec.name}[{len(numbered)}]") in there:
            numbered.append(name)
        return numbered or None
    numbered = [f"{spec.name}[{number}]" for number in range(width)]
    return numbered if set(numbered) <= set(there) else None


def _of_one(spec: TensorSpec, there: Sequence[str], features: Sequence[str]) -> list[str]:
    width = width_of(spec)
    if features and width in (None, len(features)):
        if missing := [name for name in features if name not in there]:
            raise UnfitColumns(
                f"{_takes([spec])} Its columns are called {_listed(features)}. "
                f"Missing in the file: {_listed(missing)}. {_has(there)}"
            )
        return list(features)
    if width is None or width == len(there):
        return list(there)
    example = ",".join(there[:width])
    how = f"Say which with columns={example}" if width < len(there) else "Send a file with all of them"
    raise UnfitColumns(f"{_takes([spec])} That is {_columns(width)}. {_has(there)} {how}.")


def _asked(
    inputs: Sequence[TensorSpec],
    there: Sequence[str],
    asked: Names | dict[str, str | Names],
    nested: frozenset[str],
) -> dict[str, list[str]]:
    if not isinstance(asked, dict):
        if len(inputs) > 1:
            raise UnfitColumns(f"{_takes(inputs)} Say in `columns` which columns each of them takes, as a JSON object.")
        asked = {inputs[0].name: asked}
    wanted = {name: [columns] if isinstance(columns, str) else columns for name, columns in asked.items()}
    names = [spec.name for spec in inputs]
    if wanted.keys() != set(names):
        raise UnfitColumns(f"{_takes(inputs)} `columns` names {_listed(list(wanted))}.")
    if missing := [name for columns in wanted.values() for name in columns if name not in there]:
        raise UnfitColumns(f"Missing in the file: {_listed(missing)}. {_has(there)}")
    for spec in inputs:
        columns, width = wanted[spec.name], width_of(spec)
        if width not in (None, len(columns)) and not (len(columns) == 1 and columns[0] in nested):
            raise UnfitColumns(f"{_takes([spec])} That is {_columns(width or 0)}; `columns` names {len(columns):,}.")
    return wanted


def _takes(inputs: Sequence[TensorSpec]) -> str:
    return f"The model takes {'; '.join(f'{spec.name!r} ({spec})' for spec in inputs[:MOST_NAMED])}."


def _has(there: Sequence[str]) -> str:
    return f"The file has {_columns(len(there))}: {_listed(there)}."


def _columns(number: int) -> str:
    return "1 column" if number == 1 else f"{number:,} columns"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:MOST_NAMED]) or "nothing"
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"
