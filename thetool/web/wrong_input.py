"""What Pydantic found wrong with outside input, in words for people: which field, and what it may be."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_WORDS = {
    "missing": "is missing",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be a text",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "uuid_parsing": "must be a UUID",
    "uuid_type": "must be a UUID",
    "datetime_parsing": "must be a date with a time, such as 2026-01-31T12:00:00Z",
    "datetime_from_date_parsing": "must be a date with a time, such as 2026-01-31T12:00:00Z",
    "datetime_type": "must be a date with a time, such as 2026-01-31T12:00:00Z",
    "timezone_aware": "must name its time zone, such as 2026-01-31T12:00:00Z",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters or fewer",
    "too_short": "must have {min_length} items or more",
    "too_long": "must have {max_length} items or fewer",
}
_MOST_NAMES = 40


def told(error: ValidationError, model: type[BaseModel] | None) -> Iterator[tuple[str, str]]:
    """Each wrong field (its path with dots) and what is wrong with it.

    Args:
        error: raised by `model.model_validate(...)`.
        model: names what there is, where a field is not known; None: it is not named.
    """
    for found in error.errors(include_url=False, include_input=False):
        yield ".".join(map(str, found["loc"])), _message(dict(found), model)


def _message(found: dict[str, Any], model: type[BaseModel] | None) -> str:
    kind, context, path = found["type"], found.get("ctx") or {}, found["loc"]
    if kind == "extra_forbidden":
        return _unknown(str(path[-1]), _names(model, path[:-1]) if model else [])
    if context.get("min_length") == 1 and kind in ("string_too_short", "too_short"):
        return "must not be empty"
    if kind in _WORDS:
        return _WORDS[kind].format(**context)
    message = str(found["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    for programmers, people in (("Input should be", "must be"), ("String should", "must"), ("Value should", "must")):
        message = message.replace(programmers, people, 1)
    return message


def _unknown(name: str, names: list[str]) -> str:
    if not names:
        return "is not known here"
    near = get_close_matches(name, names, 1)
    meant = f"; did you mean {near[0]}?" if near else ";"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"is not known here{meant} {'There' if near else 'there'} are: {', '.join(names[:_MOST_NAMES])}{more}"


def _names(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The fields of the model at a path within `model`; none where it cannot be told."""
    current: type[BaseModel] | None = model
    for step in path:
        if current is None:
            return []
        field = current.model_fields.get(str(step))
        if field is not None:
            current = _model_in(field.annotation)
        # else a key of a dictionary, a place in a list, or the branch of a union: the model stays the same
    return [field.alias or name for name, field in current.model_fields.items()] if current else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The one model in an annotation such as `dict[str, Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [model for inner in get_args(annotation) if (model := _model_in(inner))]
    return found[0] if len(found) == 1 else None
