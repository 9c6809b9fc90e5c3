"""Convert a TensorFlow.js graph model (`model.json` + `model.bin`) to ONNX, without TensorFlow.

Only the operations of plain convolutional networks are known; any other is refused. TensorFlow's convolutions have
their channels last, ONNX's have them first. So each tensor is kept as an ONNX name and the order of axes in which
TensorFlow sees it, and a TensorFlow Transpose changes only that order: a Transpose is written where some operation
really needs one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thetool.weights.conversion.graph import Array, Graph
from thetool.weights.conversion.problems import ConversionError
from thetool.weights.conversion.tfjs_files import (
    UnsupportedGraphError,
    constant,
    read_weights,
    spatial,
    text_of,
)

Axes = tuple[int, ...]
CHANNELS_LAST: Axes = (0, 2, 3, 1)
"""TensorFlow's view of a tensor that is stored with its channels first."""

ELEMENTWISE = {"Relu": "Relu", "Sigmoid": "Sigmoid", "LeakyRelu": "LeakyRelu"}
PADDING = {"SAME": "SAME_UPPER", "VALID": "VALID"}


@dataclass(frozen=True)
class Value:
    """An ONNX tensor; TensorFlow's axis `i` of it is the tensor's axis `axes[i]`."""

    name: str
    axes: Axes


def convert(model_json: Path, weights_bin: Path, target: Path) -> None:
    """Write the model as ONNX, its weights stored as float16, its outputs named as in its signature.

    Raises:
        ConversionError: when the files do not fit together, or have an operation that is not known here.
    """
    try:
        model = json.loads(model_json.read_text("utf-8"))
        weights = read_weights(model["weightsManifest"], weights_bin.read_bytes())
        outputs: dict[str, list[int | str]] = {
            name.removesuffix(":0"): [int(size["size"]) for size in spec["tensorShape"]["dim"]]
            for name, spec in sorted(model["signature"]["outputs"].items())
        }
        _Converter(model, weights).save(outputs, target)
    except (KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
        raise ConversionError(f"this is no TensorFlow.js model: {error!r}") from error


class _Converter:
    """Writes the nodes that lead to the outputs, each once, inputs first."""

    def __init__(self, model: dict[str, Any], weights: dict[str, Array]) -> None:
        self._nodes = {node["name"]: node for node in model["modelTopology"]["node"]}
        self._weights = weights
        self._graph = Graph(half_weights=True)
        self._done: dict[str, Value] = {}
        self._inputs: dict[str, list[int | str]] = {
            name: [int(size["size"]) for size in node["attr"]["shape"]["shape"]["dim"]]
            for name, node in self._nodes.items()
            if node["op"] == "Placeholder"
        }

    def save(self, outputs: dict[str, list[int | str]], target: Path) -> None:
        """Write the model with these nodes, of these shapes, as its outputs."""
        for name in outputs:
            value = self._value(name)
            stored = self._stored_as(value, tuple(range(len(value.axes))))
            if stored == name:
                continue
            if value.name == name:  # TensorFlow ends its graphs with an Identity, whose name is free
                raise UnsupportedGraphError(f"output {name} with its channels first")
            self._graph.add("Identity", [stored], name)
        self._graph.save(target, "tfjs", self._inputs, outputs)

    def _value(self, reference: str) -> Value:
        key = reference.removesuffix(":0")
        if key not in self._done:
            node = self._nodes[key.split(":")[0]]
            operation = OPERATIONS.get(node["op"])
            if operation is None:
                raise UnsupportedGraphError(f"operation {node['op']}")
            for i, value in enumerate(operation(self, node["name"], node.get("input", []), node.get("attr", {}))):
                self._done[f"{node['name']}:{i}" if i else node["name"]] = value
        return self._done[key]

    def _constant(self, reference: str) -> Array:
        return constant(self._nodes, self._weights, reference)

    def _stored_as(self, value: Value, axes: Axes) -> str:
        """The name of the tensor, stored so that TensorFlow's view of it is `axes`."""
        if value.axes == axes:
            return value.name
        order = [value.axes[axes.index(i)] for i in range(len(axes))]
        name = f"{value.name}.as{''.join(map(str, axes))}"
        if name not in self._done:
            self._done[name] = Value(self._graph.add("Transpose", [value.name], name, perm=order), axes)
        return name

    def _whole_numbers(self, name: str, values: Any) -> str:
        return self._graph.weight(name, np.asarray(values, np.int64).reshape(-1))

    def placeholder(self, name: str, _sources: list[str], _attributes: dict[str, Any]) -> list[Value]:
        return [Value(name, tuple(range(len(self._inputs[name]))))]

    def identity(self, _name: str, sources: list[str], _attributes: dict[str, Any]) -> list[Value]:
        return [self._value(sources[0])]

    def transpose(self, _name: str, sources: list[str], _attributes: dict[str, Any]) -> list[Value]:
        value = self._value(sources[0])
        return [Value(value.name, tuple(value.axes[int(i)] for i in self._constant(sources[1])))]

    def elementwise(self, name: str, sources: list[str], attributes: dict[str, Any]) -> list[Value]:
        value = self._value(sources[0])
        operation = ELEMENTWISE[self._nodes[name]["op"]]
        extra = {"alpha": float(attributes["alpha"]["f"])} if operation == "LeakyRelu" else {}
        return [Value(self._graph.add(operation, [value.name], name, **extra), value.axes)]

    def add(self, name: str, sources: list[str], _attributes: dict[str, Any]) -> list[Value]:
        if self._is_constant(sources[0]):
            sources = sources[::-1]
        left = self._value(sources[0])
        if self._is_constant(sources[1]):
            bias = self._constant(sources[1])
            bias = bias.reshape((1,) * (len(left.axes) - bias.ndim) + bias.shape)
            right = self._graph.weight(f"{name}.bias", bias.transpose(np.argsort(left.axes)))
        else:
            right = self._stored_as(self._value(sources[1]), left.axes)
        return [Value(self._graph.add("Add", [left.name, right], name), left.axes)]

    def _is_constant(self, reference: str) -> bool:
        return bool(self._nodes[reference.split(":")[0]]["op"] == "Const")

    def pad(self, name: str, sources: list[str], _attributes: dict[str, Any]) -> list[Value]:
        value = self._value(sources[0])
        pads = self._constant(sources[1])[np.argsort(value.axes)]  # one row (before, after) an axis
        inputs = [value.name, self._whole_numbers(f"{name}.pads", pads.T)]
        if len(sources) > 2:
            inputs.append(self._graph.weight(f"{name}.fill", np.float32(self._constant(sources[2]).item())))
        return [Value(self._graph.add("Pad", inputs, name), value.axes)]

    def convolution(self, name: str, sources: list[str], attributes: dict[str, Any]) -> list[Value]:
        if text_of(attributes["data_format"]) != "NHWC":
            raise UnsupportedGraphError("a convolution with its channels first")
        kernel = self._constant(sources[1]).transpose(3, 2, 0, 1)
        out = self._graph.add(
            "Conv",
            [self._stored_as(self._value(sources[0]), CHANNELS_LAST), self._graph.weight(f"{name}.kernel", kernel)],
            name,
            strides=spatial(attributes["strides"]),
            dilations=spatial(attributes["dilations"]) if "dilations" in attributes else [1, 1],
            auto_pad=PADDING[text_of(attributes["padding"])],
        )
        return [Value(out, CHANNELS_LAST)]

    def max_pool(self, name: str, sources: list[str], attributes: dict[str, Any]) -> list[Value]:
        out = self._graph.add(
            "MaxPool",
            [self._stored_as(self._value(sources[0]), CHANNELS_LAST)],
            name,
            kernel_shape=spatial(attributes["ksize"]),
            strides=spatial(attributes["strides"]),
            auto_pad=PADDING[text_of(attributes["padding"])],
        )
        return [Value(out, CHANNELS_LAST)]

    def concat(self, name: str, sources: list[str], _attributes: dict[str, Any]) -> list[Value]:
        values = [self._value(source) for source in sources[:-1]]
        axes = values[0].axes
        axis = axes[int(self._constant(sources[-1]))]
        stored = [self._stored_as(value, axes) for value in values]
        return [Value(self._graph.add("Concat", stored, name, axis=axis), axes)]

    def split(self, name: str, sources: list[str], _attributes: dict[str, Any]) -> list[Value]:
        value = self._value(sources[0])
        sizes = self._constant(sources[1])
        names = [f"{name}:{i}" if i else name for i in range(len(sizes))]
        axis = value.axes[int(self._constant(sources[2]))]
        self._graph.add("Split", [value.name, self._whole_numbers(f"{name}.sizes", sizes)], names, axis=axis)
        return [Value(each, value.axes) for each in names]

    def reshape(self, name: str, sources: list[str], _attributes: dict[str, Any]) -> list[Value]:
        value = self._value(sources[0])
        shape = self._constant(sources[1]).reshape(-1)
        source = self._stored_as(value, tuple(range(len(value.axes))))
        out = self._graph.add("Reshape", [source, self._whole_numbers(f"{name}.shape", shape)], name)
        return [Value(out, tuple(range(len(shape))))]

    def resize(self, name: str, sources: list[str], attributes: dict[str, Any]) -> list[Value]:
        if attributes.get("align_corners", {}).get("b"):
            raise UnsupportedGraphError("a resize with aligned corners")
        half_pixel = attributes.get("half_pixel_centers", {}).get("b")
        size = self._whole_numbers(f"{name}.size", self._constant(sources[1]))
        out = self._graph.add(
            "Resize",
            [self._stored_as(self._value(sources[0]), CHANNELS_LAST), "", "", size],
            name,
            axes=[2, 3],
            mode="linear",
            coordinate_transformation_mode="half_pixel" if half_pixel else "asymmetric",
        )
        return [Value(out, CHANNELS_LAST)]


_Operation = Callable[[_Converter, str, list[str], dict[str, Any]], list[Value]]

OPERATIONS: dict[str, _Operation] = {
    "Placeholder": _Converter.placeholder,
    "Identity": _Converter.identity,
    "Transpose": _Converter.transpose,
    **dict.fromkeys(ELEMENTWISE, _Converter.elementwise),
    "Add": _Converter.add,
    "AddV2": _Converter.add,
    "Pad": _Converter.pad,
    "PadV2": _Converter.pad,
    "Conv2D": _Converter.convolution,
    "MaxPool": _Converter.max_pool,
    "ConcatV2": _Converter.concat,
    "SplitV": _Converter.split,
    "Reshape": _Converter.reshape,
    "ResizeBilinear": _Converter.resize,
}
