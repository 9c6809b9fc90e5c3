"""From a request to the arrays that a model takes: JSON, `.npy`, or a form of `.npy` files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from flask import Request
from pydantic import Field, ValidationError

from thetool.serving.decoding import decoding
from thetool.serving.lookup import Served
from thetool.serving.runtime import npy
from thetool.serving.runtime.checking import Feeds, check_feeds, check_names
from thetool.serving.runtime.inspection import Found
from thetool.serving.runtime.nested import to_array
from thetool.serving.runtime.problems import InvalidInput
from thetool.serving.runtime.signature import Signature, picture_array, text_array
from thetool.serving.runtime.tensors import TensorSpec
from thetool.web.problems import UnsupportedMediaType, ValidationFailed
from thetool.web.schemas import Input

if TYPE_CHECKING:
    import numpy as np

ECHOED_BYTES = 64 * 1024
"""Inputs of a longer body are not sent back with the answer."""


class PredictIn(Input):
    """What is asked of a model: one of `input_data` and `instances`."""

    input_data: dict[str, Any] | None = Field(
        None,
        description="Nested lists for each input, the rows of a batch outermost. NaN and infinity are the strings "
        '"NaN", "Infinity", "-Infinity".',
        examples=[{"x": [[5.1, 3.5, 1.4, 0.2]]}],
    )
    instances: list[Any] | None = Field(
        None,
        min_length=1,
        description="Rows, each of them a value, or an object with one for each input; the answer has `predictions` in "
        "the same order, in place of `output_data`.",
    )
    request_id: str | None = Field(None, max_length=100, description="Kept in the history; yours to choose.")
    skip_cache: bool = Field(False, description="Run the model even where the answer is cached; it is cached anew.")


@dataclass(frozen=True)
class Sent:
    """A request's inputs as arrays, and what else it said. Large lists are gone: they take twenty times the bytes.

    `input_data`, `input_json`: the inputs as they were sent, where that was short; the latter as JSON. `instances`: how
    many there were, None where it was not asked so. `signed`: whether it was a picture or text that wants labels.
    """

    feeds: Feeds
    skip_cache: bool = False
    request_id: str | None = None
    input_data: dict[str, Any] | None = None
    input_json: bytes | None = None
    instances: int | None = None
    signed: bool = False


Decode = Callable[[bytes], "np.ndarray[Any, Any]"]


def read(request: Request, model: Served, found: Found, decode: Decode) -> Sent:
    """The inputs of a request, checked against what the model takes.

    Args:
        request: the present one.
        model, found: the model, and what is known of it.
        decode: gives a picture's pixels, (height, width, 3) in RGB.

    Raises:
        InvalidInput: they do not fit; it names the input, what came, and what was expected.
        ValidationFailed: the rest of the request is wrong.
        UnsupportedMediaType: the body is of another kind.
    """
    if model.signature is not None and (file := _file(request, model.signature)) is not None:
        sent = Sent(_of_signed(file, model.signature, found, decode), **_options(request), signed=True)
    elif request.mimetype == npy.MEDIA_TYPE:
        sent = Sent(_of_file(request.get_data(), found.input_schema), **_options(request))
    elif request.mimetype == "multipart/form-data":
        sent = Sent(_of_form(request, found.input_schema), **_options(request))
    elif request.is_json:
        data = request.get_data()
        with decoding(len(data)):
            sent = of_json(_json(data), found.input_schema, length=len(data))
    else:
        raise UnsupportedMediaType(
            f"Send JSON, {npy.MEDIA_TYPE} or a form of .npy files, not {request.mimetype or 'a body without a type'}. "
            "Pictures and texts need a model with a `signature`."
        )
    check_feeds(sent.feeds, found.input_schema)
    return sent


def of_json(body: Any, inputs: list[TensorSpec], *, length: int = 0) -> Sent:
    """The arrays of a body of `PredictIn`; they are not checked against free and fixed dimensions yet."""
    try:
        wanted = PredictIn.model_validate(body)
    except ValidationError as error:
        raise ValidationFailed.of(error, "body", PredictIn) from None
    if (wanted.input_data is None) == (wanted.instances is None):
        raise ValidationFailed.of_fields([("input_data", "send either it or `instances`", "body")])
    given = wanted.input_data if wanted.instances is None else _columns(wanted.instances, inputs)
    assert given is not None  # noqa: S101  one of the two is there
    check_names(given, inputs)
    feeds = {spec.name: to_array(given[spec.name], spec) for spec in inputs}
    echoed = wanted.input_data if length <= ECHOED_BYTES else None
    return Sent(
        feeds,
        wanted.skip_cache,
        wanted.request_id,
        echoed,
        None if echoed is None else orjson.dumps(echoed),
        None if wanted.instances is None else len(wanted.instances),
    )


def _json(data: bytes) -> Any:
    """The JSON of a body; not `request.get_json`, which keeps it as long as the request."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ValidationFailed.of_fields([("", f"not valid JSON: {error}", "body")]) from None


def _columns(rows: list[Any], inputs: list[TensorSpec]) -> dict[str, list[Any]]:
    """Rows as a list for each input."""
    if not all(spec.batches or spec.shape is None for spec in inputs):
        fixed = next(spec for spec in inputs if not spec.batches)
        raise InvalidInput.of(fixed.name, "`instances`", str(fixed), "It takes no rows; send `input_data`.")
    named = [isinstance(row, dict) for row in rows]
    if not any(named) and len(inputs) == 1:
        return {inputs[0].name: rows}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise InvalidInput.of(inputs[0].name, f"no object as instance {number}", "one with a value for each input")
        if row.keys() != {spec.name for spec in inputs}:
            check_names(row, inputs)
    return {spec.name: [row[spec.name] for row in rows] for spec in inputs}


def _of_file(data: bytes, inputs: list[TensorSpec]) -> Feeds:
    if len(inputs) != 1:
        names = ", ".join(repr(spec.name) for spec in inputs)
        raise InvalidInput.of(inputs[0].name, "one .npy file", f"a form with a .npy file for each of {names}")
    return {inputs[0].name: npy.read(data, inputs[0])}


def _of_form(request: Request, inputs: list[TensorSpec]) -> Feeds:
    files = request.files
    check_names(files, inputs)
    return {spec.name: npy.read(files[spec.name].read(), spec) for spec in inputs}


def _file(request: Request, signature: Signature) -> bytes | None:
    """The picture or text that was sent; None where the request is of another kind."""
    if request.mimetype == "multipart/form-data":
        file = request.files.get("file")
        return None if file is None else file.read()
    kinds = ("image/",) if signature.kind == "image" else ("text/",)
    return request.get_data() if request.mimetype.startswith(kinds) else None


def _of_signed(data: bytes, signature: Signature, found: Found, decode: Decode) -> Feeds:
    try:
        signature.check(found)
        spec = signature.input_of(found)
    except ValueError as error:  # it was changed while the file was validated
        raise ValidationFailed.of_fields([("signature", str(error), "body")]) from None
    if signature.kind == "image":
        return {spec.name: picture_array(decode(data), signature, spec)}
    try:
        return {spec.name: text_array(data.decode(), spec)}
    except UnicodeDecodeError:
        raise InvalidInput.of(spec.name, "a text that is not UTF-8", "UTF-8") from None


def _options(request: Request) -> dict[str, Any]:
    """What JSON says beside its inputs, from the address."""
    options: dict[str, Any] = {}
    if (value := request.args.get("skip_cache")) is not None:
        if value not in ("true", "false", "1", "0"):
            raise ValidationFailed.of_fields([("skip_cache", "is true or false", "query")])
        options["skip_cache"] = value in ("true", "1")
    if (name := request.args.get("request_id")) is not None:
        if len(name) > 100:
            raise ValidationFailed.of_fields([("request_id", "has at most 100 characters", "query")])
        options["request_id"] = name
    return options
