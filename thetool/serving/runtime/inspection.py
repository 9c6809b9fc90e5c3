"""Looking at a file that claims to be a model: what it holds, what it takes and gives, whether it can be served.

For a process that may be killed: the file is a stranger's, and loading it runs a part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from thetool.serving.runtime.checking import Feeds
from thetool.serving.runtime.graph import LARGEST_CONSTANT, check_graph, graphs_of, parse
from thetool.serving.runtime.operators import RANDOM, work_follows_shapes
from thetool.serving.runtime.problems import InvalidModel, PredictionFailed
from thetool.serving.runtime.sessions import Session, open_session, prepare, sample_feeds
from thetool.serving.runtime.tensors import TensorSpec

if TYPE_CHECKING:
    import onnx

OF_THE_FILE = 4
"""Loading reads a file, copies its weights and lays them out anew."""
MOST_METADATA = 100
MOST_CHARACTERS = 2000
MOST_ARGUMENTS = 1000
MOST_NAME = 500
SECOND = (2, 0)
"""Integers of a second row, whose first has ones: 0 where there are only two of a kind. Dividing by it would crash."""


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
    try:
        proto = parse(data)
        check_graph(proto)
        told = _told(proto)
    except (ValueError, TypeError) as error:
        raise InvalidModel(f"Something in the file is not as ONNX has it: {str(error)[:MOST_CHARACTERS]}") from None
    stage(0.3, "Loading the model")
    prepare(run_bytes)
    memory = Memory()
    session = open_session(data, run_bytes=run_bytes)
    if memory.peak() > run_bytes + OF_THE_FILE * len(data):
        raise InvalidModel(f"It takes {memory.peak():,} bytes of memory for a moment, to load it; that is too much.")
    stage(0.6, "Trying the model")
    _check_arguments(session)
    warms_up, row_by_row, notes = _try(session)
    deterministic = not RANDOM & told["operators"].keys()
    return Found(
        input_schema=list(session.inputs),
        output_schema=list(session.outputs),
        memory_bytes=max(memory.now(), len(data)),
        deterministic=deterministic,
        row_by_row=row_by_row and deterministic,
        warms_up=warms_up,
        notes=notes,
        **told,
    )


def _told(proto: onnx.ModelProto) -> dict[str, Any]:
    """What the file says of itself, as far as anybody wants to read it; ValueError where it is no text."""
    return {
        "opsets": {_words(one.domain) or "ai.onnx": one.version for one in proto.opset_import[:MOST_ARGUMENTS]},
        "ir_version": proto.ir_version,
        "producer_name": _words(proto.producer_name),
        "producer_version": _words(proto.producer_version),
        "graph_name": _words(proto.graph.name),
        "domain": _words(proto.domain),
        "description": _words(proto.doc_string),
        "model_version": proto.model_version,
        "custom_metadata": {_words(one.key): _words(one.value) for one in proto.metadata_props[:MOST_METADATA]},
        "operators": _count_operators(proto),
        "parameters": sum(prod(one.dims) for graph in graphs_of(proto) for one in graph.initializer),
        "bounded": work_follows_shapes(proto),
    }


def _check_arguments(session: Session) -> None:
    for spec in (*session.inputs, *session.outputs):
        if max(map(len, (spec.name, *filter(None, spec.axes)))) > MOST_NAME:
            raise InvalidModel(f"The name {spec.name[:60]!r}, or that of a dimension, has over {MOST_NAME} characters.")
    if len(session.inputs) + len(session.outputs) > MOST_ARGUMENTS:
        raise InvalidModel(f"It has more than {MOST_ARGUMENTS} inputs and outputs.")
    for spec in session.inputs:
        if not spec.is_tensor:
            raise InvalidModel(f"The input {spec.name!r} is {spec.dtype}; only tensors can be sent.")
        if spec.dtype == "bfloat16":
            raise InvalidModel(f"The input {spec.name!r} is bfloat16; put a Cast from float32 in front of it.")
        if spec.shape is not None and 0 in spec.shape:
            raise InvalidModel(f"The input {spec.name!r} has a dimension of length zero.")
    for spec in session.outputs:
        if spec.dtype == "bfloat16" or not (spec.is_tensor or spec.dtype.startswith(("seq(", "map("))):
            raise InvalidModel(f"The output {spec.name!r} is {spec.dtype}; put a Cast to float32 behind it.")
    if not session.inputs:
        raise InvalidModel("The model has no inputs, so that there is nothing to ask it.")


def _try(session: Session) -> tuple[bool, bool, list[str]]:
    """Whether it takes made-up inputs, whether rows may share a run, and what is to be said of that."""
    if sum(prod(one or 1 for one in spec.shape or ()) for spec in session.inputs) > LARGEST_CONSTANT // 16:
        return False, False, ["Its inputs are too large to try it with made-up ones."]
    try:
        session.run(sample_feeds(session.inputs))
    except PredictionFailed as error:
        return False, False, [f"It was loaded, but failed on a made-up input: {error}"]
    batches = all(spec.batches for spec in (*session.inputs, *session.outputs))
    return True, batches and _rows_stand_alone(session), []


def _two_rows(session: Session, integer: int) -> Feeds:
    """Two rows that differ in all they hold; equal ones would hide that each depends on the other."""
    feeds = sample_feeds(session.inputs, rows=2)
    for array in feeds.values():
        if array.dtype.kind in "iub":
            array[1] = integer if array.dtype.kind != "b" else False
        elif array.dtype.kind == "O":
            array[1] = "b"
    return feeds


def _rows_stand_alone(session: Session) -> bool:
    """Whether two rows together give what each gives alone."""
    for integer in SECOND:
        with suppress(PredictionFailed):
            return _stand_alone(session, _two_rows(session, integer))
    return False


def _stand_alone(session: Session, both: Feeds) -> bool:
    import numpy as np

    together = session.run(both)
    alone = [session.run({name: array[row : row + 1] for name, array in both.items()}) for row in (0, 1)]
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


def _count_operators(proto: onnx.ModelProto) -> dict[str, int]:
    counts: dict[str, int] = {}
    for graph in graphs_of(proto):
        for node in graph.node:
            if node.op_type:
                counts[node.op_type] = counts.get(node.op_type, 0) + 1
    most = sorted(counts.items(), key=lambda one: -one[1])[:MOST_ARGUMENTS]
    return {_words(name): count for name, count in most}


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
