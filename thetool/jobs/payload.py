"""What of a job goes into Postgres as JSON or text, and what cannot."""

from __future__ import annotations

import json
import re

import pydantic_core
from pydantic import BaseModel

MAX_PAYLOAD_BYTES = 16 * 2**20

# An escaped NUL: the backslash before the `u` is not itself escaped.
_nul = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_not_a_number = re.compile(rb"NaN|Infinity")


class NotStorable(ValueError):  # noqa: N818  reads as a sentence where it is raised
    """The model holds something that JSON in Postgres cannot hold: NaN, infinity, NUL, half a surrogate pair."""

    code = "not_storable"


class TooLargeToStore(NotStorable):
    """The model's JSON is larger than `MAX_PAYLOAD_BYTES`."""

    code = "too_large"


def to_json_text(model: BaseModel) -> str:
    """The model as JSON that Postgres takes and gives back unchanged.

    Raises:
        TooLargeToStore: it is longer than 16 MiB.
        NotStorable: it holds NaN or infinity (which JSON has not), a NUL character or half a surrogate pair.
    """
    try:
        data = pydantic_core.to_json(model)
    except (pydantic_core.PydanticSerializationError, ValueError, RecursionError) as error:
        raise NotStorable(f"It cannot be written as JSON: {clean(str(error), 500)}") from error
    if len(data) > MAX_PAYLOAD_BYTES:
        raise TooLargeToStore(f"It is {len(data):,} bytes of JSON; at most {MAX_PAYLOAD_BYTES:,} can be stored.")
    if b"\\u0000" in data and _nul.search(data):
        raise NotStorable("It holds a NUL character, which Postgres cannot store.")
    if b"null" in data:
        _refuse_nan(model)
    return data.decode()


def _refuse_nan(model: BaseModel) -> None:
    """Pydantic writes NaN as null, silently: a number that is lost so is an error that nobody sees."""
    data = model.model_dump()
    if not _not_a_number.search(pydantic_core.to_json(data, inf_nan_mode="constants", serialize_unknown=True)):
        return
    try:
        json.dumps(data, allow_nan=False, skipkeys=True, default=repr)
    except ValueError as error:
        raise NotStorable("It holds NaN or infinity, which JSON does not have.") from error


def clean(text: str, limit: int) -> str:
    """The text without what Postgres cannot store, cut to `limit` characters with a mark where it was cut."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
