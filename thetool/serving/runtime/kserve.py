"""The Open Inference Protocol's tensors (KServe V2), in JSON and by its binary extension.

Sources: github.com/kserve/open-inference-protocol, "inference_rest.md"; github.com/triton-inference-server/server,
"docs/protocol/extension_binary_data.md".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel, Field, ValidationError

from thetool.serving.runtime.checking import Feeds, check_feeds, check_names
from thetool.serving.runtime.nested import flatten, leaves_to_array, to_json_value
from thetool.serving.runtime.problems import InvalidInput
from thetool.serving.runtime.tensors import TensorSpec, shape_text
from thetool.web.problems import ValidationFailed

if TYPE_CHECKING:
    import numpy as np

HEADER = "Inference-Header-Content-Length"
"""Says how many bytes of a body are JSON; after them come the tensors."""
DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "bfloat16": "BF16",
    "string": "BYTES",
}
"""The protocol's names of our types."""
EXTENSIONS = ["binary_tensor_data"]
MOST_NUMBERS = 2**40
"""Of a tensor, an empty one taken as if it were not: NumPy has no shapes beyond that, and no body either."""


class TensorIn(BaseModel):
    """One input of a request."""

    name: str
    shape: list[int] = Field(max_length=32)
    datatype: str
    parameters: dict[str, Any] = {}
    data: Any = Field(None, description="Row by row, flat or nested; absent where it comes as bytes.")


class OutputIn(BaseModel):
    """One output that is wanted."""

    name: str
    parameters: dict[str, Any] = {}


class InferIn(BaseModel):
    """What is asked of a model."""

    id: str | None = Field(None, max_length=100)
    parameters: dict[str, Any] = {}
    inputs: list[TensorIn] = Field(max_length=1000)
    outputs: list[OutputIn] = Field([], max_length=1000)


class TensorOut(BaseModel):
    """One output."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: list[Any] | None = Field(None, description="Row by row, flat; absent where it comes as bytes.")


class InferOut(BaseModel):
    """A prediction."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[TensorOut]


@dataclass(frozen=True)
class Inference:
    """A request: its arrays, which outputs are wanted, each as bytes or not, and what else it says."""

    feeds: Feeds
    outputs: dict[str, bool]
    id: str | None
    parameters: dict[str, Any]


def read(body: bytes, header_length: int | None, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> Inference:
    """A request out of a body.

    Args:
        body: JSON, and after it the tensors that come as bytes.
        header_length: bytes of JSON; None when all of it is.
        inputs, outputs: what the model takes and gives.

    Raises:
        InvalidInput: the inputs do not fit the model.
        ValidationFailed: it is no such request.
    """
    if header_length is not None and not 0 < header_length <= len(body):
        wrong = f"says {header_length} bytes, and the body has {len(body)}"
        raise ValidationFailed.of_fields([(HEADER, wrong, "header")])
    head = body if header_length is None else body[:header_length]
    try:
        asked = InferIn.model_validate(orjson.loads(head))
    except orjson.JSONDecodeError as error:
        raise ValidationFailed.of_fields([("", f"not valid JSON: {error}", "body")]) from None
    except ValidationError as error:
        raise ValidationFailed.of(error, "body", InferIn) from None
    feeds = _feeds(asked, memoryview(body)[len(head) :], inputs)
    check_feeds(feeds, inputs)
    return Inference(feeds, _outputs_wanted(asked, outputs), asked.id, asked.parameters)


def write(asked: Inference, name: str, version: str, outputs: dict[str, Any]) -> tuple[bytes, int]:
    """The answer's body, and how many bytes of it are JSON: all of them where nothing comes as bytes."""
    told, parts = [], []
    for output, as_bytes in asked.outputs.items():
        array = outputs[output]
        tensor: dict[str, Any] = {"name": output, "datatype": _datatype(array), "shape": list(array.shape)}
        if as_bytes:
            part = to_bytes(array)
            tensor["parameters"] = {"binary_data_size": len(part)}
            parts.append(part)
        else:
            tensor["data"] = to_json_value(array.reshape(-1))
        told.append(tensor)
    answer: dict[str, Any] = {"model_name": name, "model_version": version, "outputs": told}
    if asked.id is not None:
        answer["id"] = asked.id
    head = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return b"".join((head, *parts)), len(head)


def described(spec: TensorSpec) -> dict[str, Any]:
    """An input or output as the model's metadata has it; free dimensions are -1."""
    shape = [-1 if length is None else length for length in spec.shape or ()]
    return {"name": spec.name, "datatype": DATATYPES.get(spec.dtype, spec.dtype), "shape": shape}


def _feeds(asked: InferIn, data: memoryview, inputs: list[TensorSpec]) -> Feeds:
    check_names({tensor.name: None for tensor in asked.inputs}, inputs)
    specs = {spec.name: spec for spec in inputs}
    feeds: Feeds = {}
    offset = 0
    for tensor in asked.inputs:
        spec = specs[tensor.name]
        wanted = DATATYPES[spec.dtype]
        if tensor.datatype != wanted:
            raise InvalidInput.of(spec.name, f"{tensor.datatype} {shape_text(tensor.shape)}", f"{wanted} ({spec})")
        if any(length < 0 for length in tensor.shape) or prod(max(length, 1) for length in tensor.shape) > MOST_NUMBERS:
            raise InvalidInput.of(spec.name, f"the shape {shape_text(tensor.shape)}", str(spec))
        size = tensor.parameters.get("binary_data_size")
        if size is None:
            feeds[spec.name] = _of_json(tensor, spec)
            continue
        if type(size) is not int or not 0 <= size <= len(data) - offset:
            raise InvalidInput.of(spec.name, f"binary_data_size {size!r:.40}", f"at most {len(data) - offset} bytes")
        feeds[spec.name] = _of_bytes(data[offset : offset + size], tensor, spec)
        offset += size
    if offset != len(data):
        wrong = f"{len(data) - offset} bytes are left after the tensors"
        raise ValidationFailed.of_fields([("inputs", wrong, "body")])
    return feeds


def _of_json(tensor: TensorIn, spec: TensorSpec) -> np.ndarray[Any, Any]:
    if not isinstance(tensor.data, list):
        raise InvalidInput.of(spec.name, "no `data`", "a list, or bytes with `binary_data_size`")
    _, leaves = flatten(tensor.data, spec)
    return leaves_to_array(leaves, tuple(tensor.shape), spec)


def _of_bytes(data: memoryview, tensor: TensorIn, spec: TensorSpec) -> np.ndarray[Any, Any]:
    import numpy as np

    count = prod(tensor.shape)
    if spec.dtype == "string":
        strings = _strings(data, count, spec)
        array = np.empty(count, dtype=object)
        array[:] = strings
        return array.reshape(tensor.shape)
    dtype = np.dtype(spec.dtype).newbyteorder("<")
    if count * dtype.itemsize != len(data):
        raise InvalidInput.of(
            spec.name, f"{len(data)} bytes for the shape {shape_text(tensor.shape)}", f"{count * dtype.itemsize} bytes"
        )
    array = np.frombuffer(data, dtype=dtype).reshape(tensor.shape)
    if spec.dtype == "bool":
        return np.asarray(array.view(np.uint8) != 0)
    return array


def _strings(data: memoryview, count: int, spec: TensorSpec) -> list[str]:
    """Strings of which each has its length before it, in 4 bytes."""
    found: list[str] = []
    offset = 0
    while offset < len(data) and len(found) <= count:
        if offset + 4 > len(data):
            raise InvalidInput.of(spec.name, "a string without its length", "4 bytes of length before each")
        (length,) = struct.unpack_from("<I", data, offset)
        offset += 4
        if offset + length > len(data):
            raise InvalidInput.of(spec.name, f"a string of {length} bytes", f"at most {len(data) - offset} bytes")
        try:
            found.append(str(data[offset : offset + length], "utf-8"))
        except UnicodeDecodeError:
            raise InvalidInput.of(spec.name, f"string {len(found)} that is no UTF-8", "UTF-8") from None
        offset += length
    if len(found) != count:
        raise InvalidInput.of(spec.name, f"{len(found)} strings", f"{count} strings")
    return found


def _outputs_wanted(asked: InferIn, outputs: list[TensorSpec]) -> dict[str, bool]:
    """The outputs that are wanted, in that order, and whether each comes as bytes."""
    by_default = asked.parameters.get("binary_data_output") is True
    there = {spec.name: spec for spec in outputs}
    names = [one.name for one in asked.outputs] or list(there)
    if unknown := [name for name in names if name not in there]:
        raise ValidationFailed.of_fields([("outputs", f"the model has no output {unknown[0][:60]!r}", "body")])
    wanted = dict.fromkeys(names, by_default)
    for one in asked.outputs:
        if "classification" in one.parameters:
            raise ValidationFailed.of_fields([("outputs", "the classification extension is not served", "body")])
        wanted[one.name] = bool(one.parameters.get("binary_data", by_default))
    for name in names:
        if not there[name].is_tensor:
            wrong = f"{name!r} is {there[name].dtype}, which this protocol cannot hold; export it as a tensor"
            raise ValidationFailed.of_fields([("outputs", wrong, "body")])
    return wanted


def _datatype(array: np.ndarray[Any, Any]) -> str:
    return DATATYPES["string" if array.dtype.kind in "OUS" else array.dtype.name]


def to_bytes(array: np.ndarray[Any, Any]) -> bytes:
    """An array as the binary extension has it: row by row, little-endian, strings with their lengths."""
    if array.dtype.kind in "OUS":
        strings = [str(one).encode() for one in array.ravel().tolist()]
        return b"".join(struct.pack("<I", len(one)) + one for one in strings)
    return array.astype(array.dtype.newbyteorder("<"), order="C", copy=False).tobytes()
