"""What of a file's rows is written beside their predictions: columns, or objects of JSON."""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from thetool.batch.chunk import Chunk
from thetool.batch.outputs import free_names
from thetool.serving.runtime.nested import to_json_value
from thetool.tables.reading.columnar import as_text

INSTANCE = "instance"
"""What an instance that is no object is called beside its outputs."""


def frame_of(chunk: Chunk) -> pl.DataFrame:
    """What is kept, as columns; of JSON Lines all but texts as JSON, for its values may be of any type."""
    kept = chunk.kept
    if kept is None or isinstance(kept, pl.DataFrame):
        return pl.DataFrame() if kept is None or not kept.width else kept
    names = list(dict.fromkeys(name for one in kept for name in (one if isinstance(one, dict) else {INSTANCE: one})))
    objects = [one if isinstance(one, dict) else {INSTANCE: one} for one in kept]
    return pl.DataFrame(
        {name: [_text(one.get(name)) for one in objects] for name in names}, dict.fromkeys(names, pl.String)
    )


def in_words(frame: pl.DataFrame, *, lists: bool) -> pl.DataFrame:
    """What no text has of its own as words: times, bytes (base64), and with `lists` what is nested (JSON)."""
    return frame.with_columns(
        as_text(name, dtype).alias(name)
        for name, dtype in frame.schema.items()
        if dtype.is_temporal() or dtype == pl.Binary or (lists and dtype.is_nested())
    )


def objects_of(chunk: Chunk) -> list[dict[str, Any]]:
    """What is kept, as an object for each row; of what is no object its `instance`."""
    kept = chunk.kept
    if kept is None:
        return [{} for _ in range(chunk.rows)]
    if isinstance(kept, pl.DataFrame):
        if not kept.width:
            return [{} for _ in range(chunk.rows)]
        rows = in_words(kept, lists=False).iter_rows(named=True)
        return [{name: to_json_value(value) for name, value in one.items()} for one in rows]
    return [one if isinstance(one, dict) else {INSTANCE: one} for one in kept]


def beside(kept: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """Both in one object, which may be the first; what was made gets other names where these are taken."""
    if kept.keys().isdisjoint(made):
        kept.update(made)
        return kept
    return {**kept, **dict(zip(free_names(list(kept), list(made)), made.values(), strict=True))}


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
