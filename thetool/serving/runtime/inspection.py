"""Looking at a file that claims to be a model: what it holds, what it takes and gives, whether it can be served.

For a process that may be killed: the file is a stranger's, and loading it runs a part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from thetool.serving.runtime.problems import InvalidModel, PredictionFailed
from thetool.serving.runtime.sessions import Session, open_session, sample_feeds
from thetool.serving.runtime.tensors import TensorSpec

if TYPE_CHECKING:
    import onnx

OPERATOR_SETS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Operators that ONNX Runtime has of its own; all others would need somebody's compiled code."""
RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
UNBOUNDED = frozenset(
    {
        "Loop", "Scan", "SequenceMap", "ConstantOfShape", "Range", "Expand", "Tile", "Resize", "Upsample", "OneHot",
        "Pad", "CenterCropPad", "MaxUnpool", "Col2Im", "Multinomial", "RandomNormal", "RandomUniform",
    }
)  # fmt: skip
"""Operators whose work depends on the values of their inputs, not on their shapes alone."""
LARGEST_CONSTANT_BYTES = 2**31
OF_THE_FILE = 4
"""Loading reads a file, copies its weights and lays them out anew."""
MOST_METADATA = 100
MOST_CHARACTERS = 2000
MOST_DEPTH = 32

Graph = Any


class Found(BaseModel):
    """What is known of a model's file."""

    input_schema: list[TensorSpec]
    output_schema: list[TensorSpec]
    opsets: dict[str, int] = Field(description="Version of each set of operators; `ai.onnx` is the usual one.")
    ir_version: int
    producer_name: str = ""
    producer_version: str = ""
    graph_name: str = ""
    domain: str = ""
    description: str = ""
    model_version: int = 0
    custom_metadata: dict[str, str] = {}
    operators: dict[str, int] = Field(description="How often each operator is used.")
    parameters: int = Field(description="Numbers in the weights.")
    memory_bytes: int = Field(description="About what it takes in memory, loaded.")
    deterministic: bool = Field(description="Whether equal inputs give equal outputs; else nothing is cached.")
    row_by_row: bool = Field(description="Whether rows of several requests may share a run: tried with two rows.")
    bounded: bool = Field(False, description="Whether equal shapes mean equal work: no loops, no sizes out of values.")
    warms_up: bool = Field(description="Whether a made-up input was taken; it warms the model up when it is loaded.")
    notes: list[str] = Field(default=[], description="What is to be known besides.")


def inspect(data: bytes, *, run_bytes: int, stage: Callable[[float, str], None] = lambda *_: None) -> Found:
    """Look at a model: read it, load it, run it on made-up inputs.

    Args:
        data: the whole file.
        run_bytes: memory that running it may take.
        stage: told how far it is, and in a sentence what is done now.

    Raises:
        InvalidModel: it cannot be served; it says why.
    """
    stage(0.1, "Reading the file")
    proto = _parse(data)
    _check_graph(proto)
    stage(0.3, "Loading the model")
    memory = Memory()
    session = open_session(data, run_bytes=run_bytes)
    if memory.peak() > run_bytes + OF_THE_FILE * len(data):
        raise InvalidModel(f"It takes {memory.peak():,} bytes of memory for a moment, to load it; that is too much.")
    stage(0.6, "Trying the model")
    _check_arguments(session)
    warms_up, row_by_row, notes = _try(session)
    operators = _count_operators(proto)
    return Found(
        input_schema=list(session.inputs),
        output_schema=list(session.outputs),
        opsets={opset.domain or "ai.onnx": opset.version for opset in proto.opset_import},
        ir_version=proto.ir_version,
        producer_name=_words(proto.producer_name),
        producer_version=_words(proto.producer_version),
        graph_name=_words(proto.graph.name),
        domain=_words(proto.domain),
        description=_words(proto.doc_string),
        model_version=proto.model_version,
        custom_metadata={_words(one.key): _words(one.value) for one in proto.metadata_props[:MOST_METADATA]},
        operators=operators,
        parameters=sum(prod(one.dims) for graph in _graphs(proto) for one in graph.initializer),
        memory_bytes=max(memory.now(), len(data)),
        deterministic=not RANDOM & operators.keys(),
        row_by_row=row_by_row and not RANDOM & operators.keys(),
        bounded=not UNBOUNDED & operators.keys(),
        warms_up=warms_up,
        notes=notes,
    )


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


def _parse(data: bytes) -> onnx.ModelProto:
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


def _check_graph(proto: onnx.ModelProto) -> None:
    local = {function.domain for function in proto.functions}
    for domain in (opset.domain for opset in proto.opset_import):
        if domain not in OPERATOR_SETS | local and _uses(proto, domain):
            raise InvalidModel(
                f"It needs operators of {domain[:100]!r}, which are not ONNX's own; they are not loaded."
            )
    for graph in _graphs(proto):
        for node in graph.node:
            if node.domain not in OPERATOR_SETS | local:
                raise InvalidModel(f"The node {_name(node)} is of {node.domain[:100]!r}, which is not ONNX's own.")
        for tensor in _tensors(graph):
            _check_tensor(tensor)
        _check_shapes(graph)


def _uses(proto: onnx.ModelProto, domain: str) -> bool:
    return any(node.domain == domain for graph in _graphs(proto) for node in graph.node)


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
    _check_size(name, list(tensor.dims), 1)
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
            if shape is not None and shape.data_type == onnx.TensorProto.INT64 and prod(shape.dims) <= MOST_DEPTH:
                _check_size(_name(node), [int(one) for one in onnx.numpy_helper.to_array(shape).ravel()], 1)
            for attribute in node.attribute:
                if attribute.name == "shape":
                    _check_size(_name(node), list(attribute.ints), 1)


def _check_size(name: str, shape: list[int], each: int) -> None:
    if prod(max(one, 0) for one in shape) * each > LARGEST_CONSTANT_BYTES:
        raise InvalidModel(f"{name!r} has the shape {shape[:16]}: more than {LARGEST_CONSTANT_BYTES:,} numbers.")


def _check_arguments(session: Session) -> None:
    for spec in session.inputs:
        if not spec.is_tensor:
            raise InvalidModel(f"The input {spec.name!r} is {spec.dtype}; only tensors can be sent.")
        if spec.dtype == "bfloat16":
            raise InvalidModel(f"The input {spec.name!r} is bfloat16; put a Cast from float32 in front of it.")
        if spec.shape is not None and 0 in spec.shape:
            raise InvalidModel(f"The input {spec.name!r} has a dimension of length zero.")
    if not session.inputs:
        raise InvalidModel("The model has no inputs, so that there is nothing to ask it.")


def _try(session: Session) -> tuple[bool, bool, list[str]]:
    """Whether it takes made-up inputs, whether rows may share a run, and what is to be said of that."""
    if sum(prod(one or 1 for one in spec.shape or ()) for spec in session.inputs) > LARGEST_CONSTANT_BYTES // 16:
        return False, False, ["Its inputs are too large to try it with made-up ones."]
    try:
        session.run(sample_feeds(session.inputs))
    except PredictionFailed as error:
        return False, False, [f"It was loaded, but failed on a made-up input: {error}"]
    batches = all(spec.batches for spec in (*session.inputs, *session.outputs))
    return True, batches and _rows_stand_alone(session), []


def _rows_stand_alone(session: Session) -> bool:
    """Whether two rows together give what each gives alone."""
    import numpy as np

    both = sample_feeds(session.inputs, rows=2)
    try:
        together = session.run(both)
        alone = [session.run({name: array[row : row + 1] for name, array in both.items()}) for row in (0, 1)]
    except PredictionFailed:
        return False
    for number, output in enumerate(together):
        parts = [one[number] for one in alone]
        if getattr(output, "shape", (0,))[0] != 2 or any(part.shape[0] != 1 for part in parts):
            return False
        joined = np.concatenate(parts)
        if output.shape != joined.shape:
            return False
        exact = output.dtype.kind not in "fc"
        if not (np.array_equal(output, joined) if exact else np.allclose(output, joined, 1e-3, 1e-5, equal_nan=True)):
            return False
    return True


def _graphs(proto: onnx.ModelProto) -> Iterator[Graph]:
    """The graph, those inside of its nodes, and the bodies of functions."""
    waiting: list[tuple[Graph, int]] = [(proto.graph, 0)]
    for function in proto.functions:
        waiting.extend((inner, 1) for node in function.node for inner in _inner(node))
        yield _FunctionBody(function)
    while waiting:
        graph, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise InvalidModel(f"Its graphs lie in one another more than {MOST_DEPTH} deep.")
        yield graph
        waiting.extend((inner, depth + 1) for node in graph.node for inner in _inner(node))


class _FunctionBody:
    """A function, as far as it is like a graph."""

    def __init__(self, function: Any) -> None:
        self.node = function.node
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


def _count_operators(proto: onnx.ModelProto) -> dict[str, int]:
    counts: dict[str, int] = {}
    for graph in _graphs(proto):
        for node in graph.node:
            counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return dict(sorted(counts.items(), key=lambda one: -one[1]))


def _name(node: Any) -> str:
    return f"{node.op_type} {node.name}".strip()[:100]


def _words(text: str) -> str:
    return text.replace("\0", "")[:MOST_CHARACTERS]


class Memory:
    """What this process takes more than when this was made."""

    def __init__(self) -> None:
        with suppress(OSError):  # where the system lets nobody reset the peak, that of before is the least there is
            Path("/proc/self/clear_refs").write_text("5")
        self._before = _resident_bytes()

    def now(self) -> int:
        """Bytes more at this moment."""
        return _resident_bytes() - self._before

    def peak(self) -> int:
        """Bytes more at the highest moment since; of this moment where the system does not tell."""
        with suppress(OSError, StopIteration, ValueError):
            lines = Path("/proc/self/status").read_text().splitlines()
            kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
            return int(kilobytes) * 1024 - self._before
        return self.now()


def _resident_bytes() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)
