"""What a model is asked, from the command line: JSON, `.npy`, or a file for a model with a signature."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import click

from thetool.cli.form import Form
from thetool.cli.inputs import STDIN, Input
from thetool.cli.problems import CommandFailed

NPY = b"\x93NUMPY"
NPY_TYPE = "application/x-npy"
WHOLE = {"input_data", "instances"}
JSON_BEGINS = (b"{", b"[")


def asked_of(file: str | None, given: tuple[str, ...], *, skip_cache: bool) -> dict[str, Any]:
    """The body of a prediction's request, as arguments of `Service.request`.

    Raises:
        click.UsageError: both a file and inputs are given, or neither.
        CommandFailed: what is given cannot be read.
    """
    query = {"skip_cache": "true"} if skip_cache else None
    if given and file:
        raise click.UsageError("Give FILE or --input, not both.")
    if given:
        return _of_inputs(given, skip_cache, query)
    if file is None and sys.stdin.isatty():
        raise click.UsageError("Say what is asked: FILE, - for standard input, or --input NAME=VALUE.")
    opened = Input(file or STDIN)
    with opened.open() as stream:
        data = stream.read()
    if data.startswith(NPY):
        return {"body": data, "headers": {"Content-Type": NPY_TYPE}, "query": query}
    if opened.name == STDIN or opened.name.endswith(".json") or data.lstrip().startswith(JSON_BEGINS):
        return {"json": _whole(_json(data, opened.filename), skip_cache)}
    return {"form": Form([], io.BytesIO(data), opened.filename), "query": query}


def _whole(value: Any, skip_cache: bool) -> dict[str, Any]:
    """The API's body: as it is, of a list of instances, or of an object with a value for each input."""
    options = {"skip_cache": True} if skip_cache else {}
    if isinstance(value, list):
        return {"instances": value, **options}
    if not isinstance(value, dict):
        raise CommandFailed("JSON is expected that is an object with the inputs, or a list of instances.")
    return {**(value if value.keys() & WHOLE else {"input_data": value}), **options}


def _of_inputs(given: tuple[str, ...], skip_cache: bool, query: dict[str, str] | None) -> dict[str, Any]:
    """Of `NAME=VALUE` each; all of them are .npy files, or none is."""
    inputs: dict[str, bytes] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not name or not equals:
            raise click.UsageError(f"{one!r} is not NAME=VALUE.")
        inputs[name] = _content(value[1:]) if value.startswith("@") else value.encode()
    arrays = {name for name, data in inputs.items() if data.startswith(NPY)}
    if not arrays:
        return {"json": _whole({"input_data": {name: _json(data, name) for name, data in inputs.items()}}, skip_cache)}
    if arrays != inputs.keys():
        raise click.UsageError("Give all inputs as .npy files, or none of them.")
    from urllib3 import encode_multipart_formdata

    body, media_type = encode_multipart_formdata({name: (f"{name}.npy", data) for name, data in inputs.items()})
    return {"body": body, "headers": {"Content-Type": media_type}, "query": query}


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}.") from error


def _json(data: bytes, name: str) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise CommandFailed(f"{name} is no JSON: {error}.") from error
