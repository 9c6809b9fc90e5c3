"""The two models that are measured, made here: a small one for rows of a table, and one of MobileNet's size.

Their weights are random; how long a run takes does not depend on them. Used by all peers, so it needs onnx and NumPy
alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

COLUMNS = 10
IMAGE = (1, 3, 224, 224)


def tabular() -> bytes:
    """Ten numbers to three: two layers of 32."""
    numbers = np.random.default_rng(1)
    nodes, weights, last, width = [], [], "x", COLUMNS
    for layer, size in enumerate((32, 32, 3)):
        weights.append(numpy_helper.from_array(numbers.normal(size=(width, size)).astype("f"), f"w{layer}"))
        weights.append(numpy_helper.from_array(numbers.normal(size=size).astype("f"), f"b{layer}"))
        nodes.append(helper.make_node("Gemm", [last, f"w{layer}", f"b{layer}"], [f"g{layer}"]))
        nodes.append(helper.make_node("Relu", [f"g{layer}"], [f"r{layer}"]))
        last, width = f"r{layer}", size
    nodes.append(helper.make_node("Softmax", [last], ["y"], axis=1))
    return _model(nodes, weights, [None, COLUMNS], [None, 3])


def mobilenet() -> bytes:
    """MobileNetV2's layers (Sandler and others, 2018, table 2) with batch norm folded: 3.5 million weights."""
    graph = _Convolutions()
    last = graph.convolution("x", 3, 32, 3, stride=2)
    channels = 32
    for expand, out, times, stride in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for number in range(times):
            last = graph.bottleneck(last, channels, out, expand, stride if number == 0 else 1)
            channels = out
    last = graph.convolution(last, channels, 1280, 1)
    graph.add("GlobalAveragePool", [last], "pooled")
    graph.add("Flatten", ["pooled"], "flat")
    graph.weight("wf", (1280, 1000))
    graph.add("MatMul", ["flat", "wf"], "y")
    return _model(graph.nodes, graph.weights, [None, *IMAGE[1:]], [None, 1000])


class _Convolutions:
    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._numbers = np.random.default_rng(2)

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def weight(self, name: str, shape: tuple[int, ...]) -> str:
        scale = 1 / np.sqrt(np.prod(shape[1:]) if len(shape) > 2 else shape[0])
        self.weights.append(numpy_helper.from_array((self._numbers.normal(size=shape) * scale).astype("f"), name))
        return name

    def convolution(
        self, x: str, channels: int, out: int, size: int, *, stride: int = 1, groups: int = 1, relu: bool = True
    ) -> str:
        name = f"c{len(self.nodes)}"
        weight = self.weight(f"w{name}", (out, channels // groups, size, size))
        pads = [size // 2] * 4
        self.add("Conv", [x, weight], name, kernel_shape=[size, size], strides=[stride] * 2, pads=pads, group=groups)
        if not relu:
            return name
        for bound, value in (("low", 0.0), ("high", 6.0)):
            if not any(one.name == bound for one in self.weights):
                self.weights.append(numpy_helper.from_array(np.float32(value), bound))
        return self.add("Clip", [name, "low", "high"], f"r{name}")

    def bottleneck(self, x: str, channels: int, out: int, expand: int, stride: int) -> str:
        inner = channels * expand
        last = self.convolution(x, channels, inner, 1) if expand > 1 else x
        last = self.convolution(last, inner, inner, 3, stride=stride, groups=inner)
        last = self.convolution(last, inner, out, 1, relu=False)
        return self.add("Add", [last, x], f"a{len(self.nodes)}") if stride == 1 and channels == out else last


def _model(nodes: list[Any], weights: list[Any], came: list[Any], went: list[Any]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "bench",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *came[1:]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", *went[1:]])],
        weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(made.SerializeToString())


def write(folder: Path) -> None:
    """Both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tabular.onnx").write_bytes(tabular())
    (folder / "mobilenet.onnx").write_bytes(mobilenet())
