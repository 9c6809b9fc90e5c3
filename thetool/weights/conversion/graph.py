"""Write a feed-forward network as ONNX, node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from thetool.weights.conversion.problems import ConversionError

Array = np.ndarray[Any, np.dtype[Any]]

OPSET = 18
IR_VERSION = 9
HALF_FROM = 256
"""Tensors with fewer elements stay float32: no size to win, precision to lose."""


class Graph:
    """Collects nodes and weights; every `add` gives the name of the node's first output."""

    def __init__(self, *, half_weights: bool = False) -> None:
        """With `half_weights`, large float weights are stored as float16; the arithmetic stays float32."""
        self._half = half_weights
        self._nodes: list[onnx.NodeProto] = []
        self._weights: dict[str, onnx.TensorProto] = {}

    def weight(self, name: str, value: Array | np.generic) -> str:
        """Store a constant, once. A half weight is followed by a Cast, which ONNX Runtime folds when it loads."""
        if name in self._weights:
            return name
        value = np.array(value, order="C")  # unlike ascontiguousarray, keeps a scalar a scalar
        if self._half and value.dtype == np.float32 and value.size >= HALF_FROM:
            if np.abs(value).max() > np.finfo(np.float16).max:
                raise ConversionError(f"{name} does not fit float16")
            stored = f"{name}.f16"
            self._weights[name] = numpy_helper.from_array(value.astype(np.float16), stored)
            self._nodes.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
        else:
            self._weights[name] = numpy_helper.from_array(value, name)
        return name

    def add(self, operation: str, inputs: Sequence[str], outputs: str | Sequence[str], **attributes: Any) -> str:
        """Append one node; an empty string among `inputs` is an optional input left out."""
        names = [outputs] if isinstance(outputs, str) else list(outputs)
        self._nodes.append(helper.make_node(operation, list(inputs), names, **attributes))
        return names[0]

    def save(
        self,
        path: Path,
        name: str,
        inputs: Mapping[str, Sequence[int | str]],
        outputs: Mapping[str, Sequence[int | str]],
    ) -> None:
        """Check the network and write it; a name in a shape is a dimension that varies. The same bytes each time.

        Raises:
            ConversionError: the nodes are no valid network.
        """
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(each, TensorProto.FLOAT, shape) for each, shape in inputs.items()],
            [helper.make_tensor_value_info(each, TensorProto.FLOAT, shape) for each, shape in outputs.items()],
            list(self._weights.values()),
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        try:
            onnx.checker.check_model(model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ConversionError(f"this is no valid network: {error}") from error
        path.write_bytes(model.SerializeToString(deterministic=True))
