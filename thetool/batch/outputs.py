"""From what a model gives to columns: `y`, or `y[0]`, `y[1]` and so on, with `_error` beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from thetool.batch.model import Ran
from thetool.serving.runtime.nested import to_json_value

if TYPE_CHECKING:
    import numpy as np

ERROR = "_error"
MOST_FLAT = 1_000
"""Of an output with more columns each row is one list."""


class Outputs:
    """The outputs of some rows by name, each an array with these rows, or of maps a list; `done` says which rows."""

    def __init__(self, names: Sequence[str], ran: Ran, good: Sequence[int] | None, rows: int) -> None:
        whole = good is None and not ran.failed
        self.done = None if whole else [row if good is None else good[row] for row in ran.done]
        self.rows = rows
        self.failed = {(row if good is None else good[row]): words for row, words in ran.failed.items()}
        self.values = {name: _joined([part[at] for part in ran.parts]) for at, name in enumerate(names)}

    @property
    def is_empty(self) -> bool:
        """Whether no row has outputs."""
        return self.done is not None and not self.done

    def frame(self, *, flat: bool) -> pl.DataFrame:
        """Columns of all rows, null where a row has no outputs.

        Args:
            flat: what has dimensions of its own is JSON text; else it is a column of lists.
        """
        columns = [column for name, value in self.values.items() for column in _columns(name, value, flat)]
        return self._spread(pl.DataFrame(columns))

    def listed(self) -> list[dict[str, Any] | None]:
        """The outputs of each row as JSON has them; None where a row has none."""
        words = {name: to_json_value(value) for name, value in self.values.items()}
        plain = {name: value.tolist() if hasattr(value, "tolist") else value for name, value in words.items()}
        made: list[Any] = [dict(zip(plain, one, strict=True)) for one in zip(*plain.values(), strict=True)]
        if self.done is None:
            return made
        spread: list[Any] = [None] * self.rows
        for row, one in zip(self.done, made, strict=True):
            spread[row] = one
        return spread

    def _spread(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self.done is None:
            return frame
        place = "\0"
        there = frame.with_columns(pl.Series(place, self.done, pl.Int64))
        every = pl.DataFrame({place: pl.int_range(self.rows, eager=True)})
        return every.join(there, on=place, how="left", maintain_order="left").drop(place)


def errors_of(rows: int, wrong: dict[int, str]) -> pl.Series:
    """The column `_error`: null where nothing is wrong."""
    words: list[str | None] = [None] * rows
    for row, told in wrong.items():
        words[row] = told
    return pl.Series(ERROR, words, pl.String)


def free_names(kept: Sequence[str], made: Sequence[str]) -> list[str]:
    """Names for what was made that are none of the kept ones: the second `y` is `y_2`."""
    taken, names = set(kept), []
    for name in made:
        free, number = name, 1
        while free in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(free)
        names.append(free)
    return names


def _joined(parts: Sequence[Any]) -> Any:
    import numpy as np

    if not parts:
        return np.empty(0)
    if any(isinstance(part, list) for part in parts):
        return [one for part in parts for one in part]
    if len({part.shape[1:] for part in parts}) > 1:
        return [one for part in parts for one in part.tolist()]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _columns(name: str, value: Any, flat: bool) -> list[pl.Series]:
    import numpy as np

    if isinstance(value, list):
        return _of_list(name, value, flat)
    if value.dtype == np.float16:
        value = value.astype(np.float32)
    if value.ndim == 2 and value.shape[1] == 1:
        value = value[:, 0]
    if value.ndim == 1:
        return [_series(name, value)]
    if value.ndim == 2 and value.shape[1] <= MOST_FLAT:
        return [_series(f"{name}[{at}]", value[:, at]) for at in range(value.shape[1])]
    return [_json(name, value.tolist()) if flat else pl.Series(name, value.tolist())]


def _of_list(name: str, values: list[Any], flat: bool) -> list[pl.Series]:
    """Maps, as older classifiers give them, have a column for each label."""
    if values and all(isinstance(one, dict) for one in values):
        labels = list(values[0])
        return [pl.Series(f"{name}[{label}]", [one.get(label) for one in values]) for label in labels]
    return [_json(name, values) if flat else pl.Series(name, values)]


def _series(name: str, value: np.ndarray[Any, Any]) -> pl.Series:
    return pl.Series(name, value.tolist(), pl.String) if value.dtype.kind in "OUS" else pl.Series(name, value)


def _json(name: str, values: list[Any]) -> pl.Series:
    return pl.Series(
        name, [orjson.dumps(to_json_value(one), option=orjson.OPT_NON_STR_KEYS).decode() for one in values], pl.String
    )
