"""What a TensorFlow.js graph model says about itself: its weights, its constants, its attributes."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from thetool.weights.conversion.graph import Array
from thetool.weights.conversion.problems import ConversionError

_TYPES = {"float32": "<f4", "int32": "<i4", "bool": "?"}
_QUANTISED = {"float16": "<f2", "uint8": "u1", "uint16": "<u2"}


class UnsupportedGraphError(ConversionError):
    """The model uses something that is not known here, or its files do not match."""


def read_weights(manifest: list[dict[str, Any]], raw: bytes) -> dict[str, Array]:
    """Every weight of the manifest by name, in full precision; `raw` is the joined files of weights.

    Raises:
        UnsupportedGraphError: when the weights and the manifest do not fit together.
    """
    weights: dict[str, Array] = {}
    offset = 0
    for entry in (weight for group in manifest for weight in group["weights"]):
        quantisation = entry.get("quantization", {})
        stored = np.dtype(_QUANTISED[quantisation["dtype"]] if quantisation else _TYPES[entry["dtype"]])
        value: Array = np.frombuffer(raw, stored, math.prod(entry["shape"]), offset)
        offset += value.nbytes
        if "scale" in quantisation:
            value = value * quantisation["scale"] + quantisation["min"]
        weights[entry["name"]] = value.astype(_TYPES[entry["dtype"]]).reshape(entry["shape"])
    if offset != len(raw):
        raise UnsupportedGraphError(f"the weights take {offset} bytes, the file has {len(raw)}")
    return weights


def constant(nodes: dict[str, dict[str, Any]], weights: dict[str, Array], reference: str) -> Array:
    """The value of a part of the graph that is constant: shapes, paddings and weights are written this way.

    Raises:
        UnsupportedGraphError: when it is not constant, or made in a way that is not known.
    """
    node = nodes[reference.removesuffix(":0")]
    sources = node.get("input", [])
    match node["op"]:
        case "Const":
            return weights[node["name"]]
        case "Add" | "AddV2":
            left, right = (constant(nodes, weights, source) for source in sources)
            return np.asarray(left + right)
        case "SparseToDense":
            indices, shape, values, default = (constant(nodes, weights, source) for source in sources)
            dense = np.full(shape.reshape(-1), default)
            if indices.size:
                dense[tuple(np.atleast_2d(indices).T)] = values
            return dense
    raise UnsupportedGraphError(f"{node['op']} where a constant is needed")


def text_of(attribute: dict[str, str]) -> str:
    """The text of an attribute."""
    return base64.b64decode(attribute["s"]).decode()


def spatial(attribute: dict[str, Any]) -> list[int]:
    """Height and width of an attribute with a number for each axis, channels last, such as `strides`."""
    return [int(number) for number in attribute["list"]["i"]][1:3]
