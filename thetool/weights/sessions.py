"""Opening a model's file in ONNX Runtime, so that many models fit one process and many runs at once share its cores."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from thetool.config import Settings
from thetool.telemetry.heap import return_freed_memory


def open_session(model: Path, *, threads: int = 1, keeps_memory: bool = True) -> Any:
    """An `onnxruntime.InferenceSession` of this file, on the CPU; its runs are safe to call from several threads.

    Args:
        model: an ONNX file.
        threads: cores that one run uses.
        keeps_memory: the memory of a run is kept for the next one. Without it runs are slower, but where inputs have
            many shapes the memory of the largest one is not kept for good.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = keeps_memory
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a spinning thread is a core taken away
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return_freed_memory()
    return session


def threads_of_one_call(settings: Settings) -> int:
    """Cores for one call, so that all jobs which may run at once on this machine keep each core busy once."""
    from os import cpu_count, sched_getaffinity

    cores = len(sched_getaffinity(0)) if sys.platform == "linux" else cpu_count() or 1
    return max(1, cores // (settings.workers * settings.job_threads))
