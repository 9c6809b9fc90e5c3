"""Checking arrays against what a model takes, before the model sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from thetool.serving.runtime.problems import InvalidInput
from thetool.serving.runtime.tensors import TensorSpec, array_text

if TYPE_CHECKING:
    import numpy as np

Feeds = dict[str, "np.ndarray[Any, Any]"]


def check_names(given: Mapping[str, Any], inputs: Sequence[TensorSpec]) -> None:
    """Raise InvalidInput unless each input of the model is given, and nothing else."""
    wanted = [spec.name for spec in inputs]
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    if not missing and not unknown:
        return
    said = [f"Missing: {_names(missing)}."] * bool(missing) + [f"Unknown: {_names(unknown)}."] * bool(unknown)
    raise InvalidInput(
        f"The model takes {'; '.join(f'{spec.name!r} ({spec})' for spec in inputs)}. {' '.join(said)}",
        input=(missing or unknown)[0][:200],
        came=_names(list(given)),
        expected=_names(wanted),
    )


def check_feeds(feeds: Feeds, inputs: Sequence[TensorSpec]) -> None:
    """Raise InvalidInput unless all arrays have the ranks and dimensions of the inputs.

    Fixed dimensions must be as they are; free ones may have any length but zero, and the same where they have the same
    name.
    """
    lengths: dict[str, tuple[int, str]] = {}
    for spec in inputs:
        array = feeds[spec.name]
        if spec.shape is None:
            continue
        _check_shape(array, spec)
        for axis, length in zip(spec.axes, array.shape, strict=False):
            if axis is None:
                continue
            before, where = lengths.setdefault(axis, (length, spec.name))
            if before != length:
                raise InvalidInput.of(
                    spec.name,
                    array_text(array),
                    str(spec),
                    f"{axis!r} is {before} in the input {where!r}: both must be the same.",
                )


def rows_of(feeds: Feeds) -> int | None:
    """The length of the first dimension that all inputs share; None when there is none."""
    lengths = {array.shape[0] if array.ndim else None for array in feeds.values()}
    return lengths.pop() if len(lengths) == 1 else None


def _check_shape(array: np.ndarray[Any, Any], spec: TensorSpec) -> None:
    wanted = spec.shape or ()
    if array.ndim != len(wanted):
        raise InvalidInput.of(spec.name, array_text(array), str(spec), _hint(array.ndim, len(wanted)))
    for number, (length, expected) in enumerate(zip(array.shape, wanted, strict=True)):
        if expected is not None and length != expected:
            hint = f"Dimension {number} is {length}, not {expected}."
            raise InvalidInput.of(spec.name, array_text(array), str(spec), hint)
        if expected is None and length == 0:
            hint = f"Dimension {number} has the length zero: there is nothing to predict from."
            raise InvalidInput.of(spec.name, array_text(array), str(spec), hint)


def _hint(came: int, expected: int) -> str:
    if came == expected - 1:
        return "A dimension is missing: a single row is a list with one row in it."
    return f"It has {came} dimensions, not {expected}."


def _names(names: list[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:10]) or "nothing"
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
