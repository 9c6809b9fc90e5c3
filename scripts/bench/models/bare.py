"""Bare ONNX Runtime in this process: what the machine gives when nothing is served."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime


def throughput(model: Path, x: np.ndarray, *, threads: int, seconds: float) -> float:
    """Runs a second of so many threads, each with one core."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    session.run(None, {"x": x})
    runs = [0] * threads
    stop_at = time.perf_counter() + seconds

    def work(number: int) -> None:
        while time.perf_counter() < stop_at:
            session.run(None, {"x": x})
            runs[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(runs) / seconds
