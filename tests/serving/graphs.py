"""Small models, made with `onnx.helper`, as bytes of their files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, BOOL, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING
Value = tuple[str, int, Sequence[int | str | None]]


def model(
    nodes: Sequence[Any],
    inputs: Sequence[Value],
    outputs: Sequence[Value],
    weights: dict[str, Any] | None = None,
    *,
    opset: int = 17,
    domains: Sequence[tuple[str, int]] = (),
    **more: Any,
) -> Any:
    """A model of these nodes."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(*one) for one in inputs],
        [helper.make_tensor_value_info(*one) for one in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (weights or {}).items()],
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(*one) for one in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="tests", **more)


def data(*arguments: Any, **more: Any) -> bytes:
    """The file of `model(...)`."""
    return bytes(model(*arguments, **more).SerializeToString())


def node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> Any:
    """One node."""
    return helper.make_node(operator, list(inputs), list(outputs), **attributes)


def doubling(factor: float = 2.0, width: int = 3) -> bytes:
    """y = factor · x, for rows of `width` numbers."""
    return data(
        [node("Mul", ["x", "f"], ["y"])],
        [("x", FLOAT, ["batch", width])],
        [("y", FLOAT, ["batch", width])],
        {"f": np.float32(factor)},
    )


def identity(dtype: int, shape: Sequence[int | str | None] = ("batch", 2)) -> bytes:
    """y = x, of any type."""
    return data([node("Identity", ["x"], ["y"])], [("x", dtype, shape)], [("y", dtype, shape)])


def picking(table: Sequence[float] = (10, 20, 30)) -> bytes:
    """y = table[x]: fails where there is no such entry."""
    return data(
        [node("Gather", ["table", "x"], ["y"])],
        [("x", INT64, ["batch"])],
        [("y", FLOAT, ["batch"])],
        {"table": np.array(table, np.float32)},
    )


def endless(*, always: bool = False) -> bytes:
    """Runs for ever: `always`, or when its input is above 5."""
    body = helper.make_graph(
        [node("Identity", ["go"], ["go_on"]), node("Identity", ["value"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("i", INT64, []),
            helper.make_tensor_value_info("go", BOOL, []),
            helper.make_tensor_value_info("value", FLOAT, [None]),
        ],
        [helper.make_tensor_value_info("go_on", BOOL, []), helper.make_tensor_value_info("next", FLOAT, [None])],
    )
    begin = [] if always else [node("Greater", ["x", "five"], ["above"]), node("Squeeze", ["above"], ["start"])]
    weights = {"five": np.full(1, 5, np.float32), **({"start": np.array(True)} if always else {})}
    shape = [1]
    loop = node("Loop", ["", "start", "x"], ["y"], body=body)
    return data([*begin, loop], [("x", FLOAT, shape)], [("y", FLOAT, shape)], weights)


def slow(turns: int = 20_000) -> bytes:
    """y = x + 1, after so many turns of a loop: some ten milliseconds."""
    body = helper.make_graph(
        [node("Identity", ["go"], ["go_on"]), node("Identity", ["value"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("i", INT64, []),
            helper.make_tensor_value_info("go", BOOL, []),
            helper.make_tensor_value_info("value", FLOAT, [1]),
        ],
        [helper.make_tensor_value_info("go_on", BOOL, []), helper.make_tensor_value_info("next", FLOAT, [1])],
    )
    loop = node("Loop", ["turns", "", "x"], ["turned"], body=body)
    weights = {"turns": np.array(turns, np.int64), "one": np.ones(1, np.float32)}
    return data([loop, node("Add", ["turned", "one"], ["y"])], [("x", FLOAT, [1])], [("y", FLOAT, [1])], weights)


def filling() -> bytes:
    """y = as many zeros as the input says."""
    return data([node("ConstantOfShape", ["n"], ["y"])], [("n", INT64, [1])], [("y", FLOAT, ["n"])])


def huge_constant(elements: int = 10_000_000_000) -> bytes:
    """Makes a constant of so many numbers when it is run."""
    return data(
        [
            node("ConstantOfShape", ["n"], ["big"]),
            node("ReduceSum", ["big"], ["sum"]),
            node("Add", ["x", "sum"], ["y"]),
        ],
        [("x", FLOAT, ["batch", 1])],
        [("y", FLOAT, ["batch", 1])],
        {"n": np.array([elements], np.int64)},
    )


def with_external_data(location: str) -> bytes:
    """A model whose weights are said to be in another file."""
    made = model(
        [node("Mul", ["x", "f"], ["y"])],
        [("x", FLOAT, ["batch", 3])],
        [("y", FLOAT, ["batch", 3])],
        {"f": np.ones(3, np.float32)},
    )
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "12")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return bytes(made.SerializeToString())
