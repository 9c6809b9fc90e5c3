"""Loaded models: opened in ONNX Runtime with bounded memory, run until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thetool.serving.runtime.checking import Feeds
from thetool.serving.runtime.lanes import Batching, Lane
from thetool.serving.runtime.problems import InvalidModel, PredictionFailed
from thetool.serving.runtime.tensors import TensorSpec
from thetool.telemetry.heap import return_freed_memory

STOPPED = "terminate flag"
"""What ONNX Runtime says of a run that was told to stop."""
MOST_WORDS = 500
GAINS_BELOW_MS = 4.0
"""On processors rows that share a run save tenths of a millisecond; slow rows gain nothing, and wait for others."""
NEWEST = 0.2
ROOM_OF_A_SESSION = 2**20
"""What a session takes besides its weights, at least."""

_allocator_lock = threading.Lock()
_allocator_made = False


class Session:
    """A loaded model; runs are safe from several threads. `bytes` is what it takes in memory, `lanes` who waits for it.

    `row_ms`: milliseconds of a run for each of its rows, of late. `bounded`: equal shapes mean equal work. `quick`: the
    shapes of inputs that took no time worth a thread.
    `row_by_row`: each row's outputs depend on that row alone, so that rows of several requests may share a run.
    """

    def __init__(self, inner: Any, *, size: int, row_by_row: bool, bounded: bool) -> None:
        self.inputs: tuple[TensorSpec, ...] = tuple(TensorSpec.of(one) for one in inner.get_inputs())
        self.outputs: tuple[TensorSpec, ...] = tuple(TensorSpec.of(one) for one in inner.get_outputs())
        self.output_names = [one.name for one in self.outputs]
        self.bytes = size
        self.row_by_row = row_by_row
        self.bounded = bounded
        self.quick: set[tuple[Any, ...]] = set()
        self.lanes: dict[Batching, Lane] = {}
        self.row_ms: float | None = None
        self.on_gpu = "CUDAExecutionProvider" in inner.get_providers()
        self._inner = inner

    @property
    def gains(self) -> bool:
        """Whether it may be expected to gain by rows that share a run: a row is quick, or there is a GPU."""
        return self.on_gpu or self.row_ms is None or self.row_ms < GAINS_BELOW_MS

    def note(self, milliseconds: float, rows: int) -> None:
        """Remember how long a run of so many rows took."""
        now = milliseconds / max(rows, 1)
        self.row_ms = now if self.row_ms is None else self.row_ms + NEWEST * (now - self.row_ms)

    def run(self, feeds: Feeds, options: Any = None) -> list[Any]:
        """All outputs.

        Raises:
            PredictionFailed: the model stopped with an error.
            Stopped: it was told to stop.
        """
        try:
            return list(self._inner.run(None, feeds, options))
        except Exception as error:
            stopped, words = STOPPED in str(error), words_of(error)
        # Not from the handler: the error would know this frame, and keep the session in memory.
        raise Stopped if stopped else PredictionFailed(words)


class Stopped(Exception):  # noqa: N818  a state, not a mistake
    """The run was told to stop, and did."""


def open_session(
    model: Path | bytes,
    *,
    run_bytes: int,
    threads: int = 1,
    size: int = 0,
    row_by_row: bool = False,
    bounded: bool = False,
) -> Session:
    """Load a model.

    Args:
        model: an ONNX file, or its bytes.
        run_bytes: memory that all runs of this process may take together; the first call's holds.
        threads: cores that one run uses.
        size: bytes of memory that it will take, as far as is known.
        row_by_row, bounded: see `Session`.

    Raises:
        InvalidModel: ONNX Runtime does not take it.
    """
    import onnxruntime

    prepare(run_bytes)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # a caller's mistake is the caller's to hear of
    for name in ("session.use_env_allocators", "session.use_device_allocator_for_initializers"):
        options.add_session_config_entry(name, "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a spinning thread is a core taken away
    try:
        inner = onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model), options, providers=providers()
        )
    except Exception as error:
        raise InvalidModel(words_of(error)) from None
    return_freed_memory()
    return Session(inner, size=max(size, ROOM_OF_A_SESSION), row_by_row=row_by_row, bounded=bounded)


def providers() -> list[str]:
    """The GPU where ONNX Runtime has one (`onnxruntime-gpu`), then the CPU."""
    import onnxruntime

    there = onnxruntime.get_available_providers()
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in there]


def run_options(*, gives_back: bool = False) -> Any:
    """Options of one run; setting their `terminate` to True stops it at its next operation.

    With `gives_back` the memory that runs share, which else stays as large as the largest of them needed, is given back
    after it as far as it is not in use.
    """
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    if gives_back:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def sample_feeds(inputs: Sequence[TensorSpec], *, rows: int = 1) -> Feeds:
    """Arrays that fit the inputs: free dimensions are 1 (the first one `rows`), numbers between 0 and 1."""
    import numpy as np

    numbers = np.random.default_rng(7)
    feeds: Feeds = {}
    for spec in inputs:
        shape = [1 if length is None else length for length in spec.shape or ()]
        if spec.batches:
            shape[0] = rows
        if spec.dtype == "string":
            feeds[spec.name] = np.full(shape, "a", dtype=object)
        elif spec.dtype.startswith("float"):
            feeds[spec.name] = numbers.random(shape).astype(spec.dtype)
        else:
            feeds[spec.name] = np.ones(shape, dtype=spec.dtype)
    return feeds


NO_LOCALE = (
    "It makes small letters by the rules of a locale, en_US.UTF-8 unless it names another, and this machine has no "
    "such. Install it (Debian: `apt-get install locales; localedef -i en_US -f UTF-8 en_US.UTF-8`), or save the model "
    'with another one (skl2onnx: `options={TfidfVectorizer: {"locale": "C.UTF-8"}}`).'
)


def words_of(error: BaseException) -> str:
    """What ONNX Runtime said, without the paths of its own sources, in a sentence's length."""
    said = str(error).replace("\n", " ").removeprefix("[ONNXRuntimeError] : ")
    where, _, status = said.partition("Status Message: ")
    node = where.partition("while running ")[2].rstrip(". ") if status else ""
    if "Available memory of" in said or "Failed to allocate memory" in said or "bad allocation" in said:
        said, node = "It needs more memory than MODEL_RUN_BYTES allows.", node.partition(" node")[0]
        return f"{node}: {said}" if node else said
    if "construct locale" in said:  # StringNormalizer, as of scikit-learn's vectorizers
        return NO_LOCALE
    words = [word for word in (status or said).split() if "/onnxruntime" not in word]
    return f"{node}: {' '.join(words)}"[:MOST_WORDS] if node else " ".join(words)[:MOST_WORDS]


def prepare(run_bytes: int) -> None:
    """Load ONNX Runtime, and let all sessions of this process share one arena that ends at `run_bytes`.

    Past it a run fails, not the process. Weights are not in it (`use_device_allocator_for_initializers`).
    """
    global _allocator_made
    import onnxruntime

    with _allocator_lock:
        if _allocator_made:
            return
        kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
        memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
        same_as_requested = 1  # doubling would keep up to twice of what the largest run needed
        arena = onnxruntime.OrtArenaCfg({"max_mem": run_bytes, "arena_extend_strategy": same_as_requested})
        onnxruntime.create_and_register_allocator(memory, arena)
        _allocator_made = True
