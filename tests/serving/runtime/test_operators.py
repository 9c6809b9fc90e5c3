"""Which models may be run without a thread of their own: those whose work follows the shapes of what they take."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.serving import graphs
from tests.serving.graphs import BOOL, FLOAT, INT64, node
from thetool.serving.runtime.operators import work_follows_shapes

X = [("x", FLOAT, ["batch", 4])]
Y = [("y", FLOAT, None)]


def model(*nodes: object, weights: dict[str, object] | None = None, inputs: object = X) -> onnx.ModelProto:
    made: onnx.ModelProto = graphs.model(nodes, inputs, Y, weights)  # type: ignore[arg-type]
    return made


def parsed(data: bytes) -> onnx.ModelProto:
    return onnx.load_model_from_string(data)


@pytest.mark.parametrize(
    "made",
    [
        parsed(graphs.doubling()),
        model(node("Reshape", ["x", "s"], ["y"]), weights={"s": np.array([-1, 2])}),
        model(  # as PyTorch writes it: a shape made from shapes
            node("Shape", ["x"], ["all"]),
            node("Gather", ["all", "zero"], ["rows"]),
            node("Concat", ["rows", "rest"], ["s"], axis=0),
            node("Reshape", ["x", "s"], ["y"]),
            weights={"zero": np.array([0]), "rest": np.array([4])},
        ),
    ],
)
def test_work_that_follows_shapes(made: onnx.ModelProto) -> None:
    assert work_follows_shapes(made)


@pytest.mark.parametrize(
    "made",
    [
        parsed(graphs.endless()),
        parsed(graphs.filling()),
        model(node("NonZero", ["x"], ["i"]), node("Transpose", ["i"], ["t"]), node("MatMulInteger", ["t", "i"], ["y"])),
        model(node("Compress", ["x", "c"], ["y"], axis=0), inputs=[*X, ("c", BOOL, ["batch"])]),
        model(node("Unique", ["x"], ["y"])),
        model(
            node("NonMaxSuppression", ["b", "s", "n"], ["y"]),
            inputs=[("b", FLOAT, [1, "boxes", 4]), ("s", FLOAT, [1, 1, "boxes"])],
            weights={"n": np.array([100])},
        ),
        model(node("Reshape", ["x", "s"], ["y"]), inputs=[*X, ("s", INT64, [2])]),
        model(node("Add", ["s", "one"], ["t"]), node("Tile", ["x", "t"], ["y"]), inputs=[*X, ("s", INT64, [2])],
              weights={"one": np.array([1])}),
        model(node("Evil", ["x"], ["y"], domain="com.microsoft")),
    ],
)  # fmt: skip
def test_work_that_follows_values(made: onnx.ModelProto) -> None:
    assert not work_follows_shapes(made)
