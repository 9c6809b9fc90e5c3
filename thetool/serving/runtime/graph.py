"""Reading a file that claims to be ONNX, and what must not be in it: other files, compiled code, lies about sizes."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any

from thetool.serving.runtime.problems import InvalidModel

if TYPE_CHECKING:
    import onnx

OPERATOR_SETS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Operators that ONNX Runtime has of its own; all others would need somebody's compiled code."""
LARGEST_CONSTANT = 2**31
"""Numbers of a constant, at most."""
MOST_DEPTH = 32
MOST_DIMENSIONS = 32

Graph = Any

OTHER_FORMATS = {
    b"PK\x03\x04": "a zip archive (PyTorch's and Keras's files are such); export the model as ONNX, or unpack it",
    b"\x1f\x8b": "compressed by gzip; send what is in it",
    b"\x89HDF": "an HDF5 file, as older Keras writes; export the model as ONNX",
    b"\x80\x02": "a pickle; export the model as ONNX",
    b"\x80\x03": "a pickle; export the model as ONNX",
    b"\x80\x04": "a pickle; export the model as ONNX",
    b"\x80\x05": "a pickle; export the model as ONNX",
    b"%PDF": "a PDF",
    b"<!DO": "a web page",
    b"<htm": "a web page",
    b"{": "JSON",
}


def other_format(beginning: bytes) -> str | None:
    """What a file is that begins so, when that is surely no ONNX."""
    return next((what for magic, what in OTHER_FORMATS.items() if beginning.startswith(magic)), None)


def parse(data: bytes) -> onnx.ModelProto:
    """The model in a file; InvalidModel when there is none."""
    import onnx

    if not data:
        raise InvalidModel("The file is empty.")
    if other := other_format(data):
        raise InvalidModel(f"The file is not ONNX: it is {other}.")
    try:
        proto = onnx.load_model_from_string(data)
    except Exception:
        raise InvalidModel("The file is not ONNX, or not all of it is there: it cannot be read.") from None
    if not proto.HasField("graph") or not proto.ir_version:
        raise InvalidModel("The file is not ONNX: there is no graph in it.")
    if not proto.graph.output:
        raise InvalidModel("The graph has no outputs.")
    return proto


def check_graph(proto: onnx.ModelProto) -> None:
    """Raise InvalidModel when there is something in it that must not be."""
    local = {function.domain for function in proto.functions}
    for domain in (opset.domain for opset in proto.opset_import):
        if domain not in OPERATOR_SETS | local and _uses(proto, domain):
            raise InvalidModel(
                f"It needs operators of {domain[:100]!r}, which are not ONNX's own; they are not loaded."
            )
    for graph in graphs_of(proto):
        for node in graph.node:
            if node.domain not in OPERATOR_SETS | local:
                raise InvalidModel(f"The node {_name(node)} is of {node.domain[:100]!r}, which is not ONNX's own.")
        for tensor in _tensors(graph):
            _check_tensor(tensor)
        _check_shapes(graph)


def _uses(proto: onnx.ModelProto, domain: str) -> bool:
    return any(node.domain == domain for graph in graphs_of(proto) for node in graph.node)


def _check_tensor(tensor: Any) -> None:
    import onnx

    name = tensor.name[:100] or "a constant"
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise InvalidModel(
            f"The weights {name!r} are in another file, which is never opened here: save the model with its weights "
            "in one file (`onnx.save(model, path, save_as_external_data=False)`)."
        )
    if any(length < 0 for length in tensor.dims):
        raise InvalidModel(f"The weights {name!r} have a negative dimension.")
    _check_size(name, list(tensor.dims))
    if tensor.HasField("raw_data"):
        try:
            each = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        except Exception:
            raise InvalidModel(f"The weights {name!r} are of a type that is not known here.") from None
        # types of less than a byte are packed
        if each >= 1 and len(tensor.raw_data) < prod(tensor.dims) * (each if each > 1 else 0.25):
            raise InvalidModel(f"The weights {name!r} say {list(tensor.dims)}, and fewer bytes are there.")


def _check_shapes(graph: Graph) -> None:
    """Refuse what would be made from a constant shape, and be larger than any machine has room for."""
    import onnx

    constants = {one.name: one for one in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            value = next((each.t for each in node.attribute if each.name == "value"), None)
            if value is not None:
                constants[node.output[0]] = value
    for node in graph.node:
        if node.op_type in ("ConstantOfShape", "Expand", "Tile", "RandomNormal", "RandomUniform"):
            shape = next((constants[name] for name in list(node.input)[-1:] if name in constants), None)
            if shape is not None and shape.data_type == onnx.TensorProto.INT64 and prod(shape.dims) <= MOST_DIMENSIONS:
                _check_size(_name(node), [int(one) for one in onnx.numpy_helper.to_array(shape).ravel()])
            for attribute in node.attribute:
                if attribute.name == "shape":
                    _check_size(_name(node), list(attribute.ints))


def _check_size(name: str, shape: list[int]) -> None:
    if prod(max(one, 0) for one in shape) > LARGEST_CONSTANT:
        raise InvalidModel(f"{name!r} has the shape {shape[:16]}: more than {LARGEST_CONSTANT:,} numbers.")


def graphs_of(proto: onnx.ModelProto) -> Iterator[Graph]:
    """The graph, those inside of its nodes, and the bodies of functions."""
    waiting: list[tuple[Graph, int]] = [(proto.graph, 0)]
    for function in proto.functions:
        body = _FunctionBody(function)
        waiting.extend((inner, 1) for node in body.node for inner in _inner(node))
        yield body
    while waiting:
        graph, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise InvalidModel(f"Its graphs lie in one another more than {MOST_DEPTH} deep.")
        yield graph
        waiting.extend((inner, depth + 1) for node in graph.node for inner in _inner(node))


class _FunctionBody:
    """A function, as far as it is like a graph; what its attributes are by default is as of one node more."""

    def __init__(self, function: Any) -> None:
        import onnx

        self.node = [*function.node, onnx.NodeProto(attribute=function.attribute_proto)]
        self.initializer: list[Any] = []
        self.sparse_initializer: list[Any] = []


def _inner(node: Any) -> Iterator[Graph]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _tensors(graph: Graph) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield sparse.values
        yield sparse.indices
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            sparse = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
            for one in (*sparse, *attribute.sparse_tensors):
                yield one.values
                yield one.indices


def _name(node: Any) -> str:
    return f"{node.op_type} {node.name}".strip()[:100]
