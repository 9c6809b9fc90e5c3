"""JSON by orjson: several times faster than the standard library, ISO 8601 times, strict input."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider
from pydantic import BaseModel

_options = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def to_json(value: Any) -> bytes:
    """Write `value` as the UTF-8 JSON of an answer; times are ISO 8601 with `Z`, UUIDs strings, NaN is null.

    It ends in a newline, so that a shell's prompt does not stand behind the last brace.
    """
    return orjson.dumps(value, _plain, _options | orjson.OPT_APPEND_NEWLINE)


class OrjsonProvider(JSONProvider):
    """Flask's JSON through orjson. Reading is strict: UTF-8, no NaN, at most 1,024 levels deep."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """Write `obj` as JSON text."""
        return orjson.dumps(obj, _plain, _options).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read JSON; raises ValueError for what is not JSON or is nested too deeply."""
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Answer with JSON, without the detour through text."""
        body = to_json(self._prepare_response_obj(args, kwargs))
        return Response(body, mimetype="application/json")
