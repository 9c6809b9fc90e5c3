"""BentoML: two workers, its adaptive batching for the small model."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import bentoml
import numpy as np
import onnxruntime

MODEL = os.environ.get("BENCH_MODEL") or sys.argv[1]


@bentoml.service(workers=2, traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Served:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000)
    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.session.run(None, {"x": x.astype(np.float32, copy=False)})[0]

    @bentoml.api
    def image(self, file: Path) -> np.ndarray:
        return self.session.run(None, {"x": np.load(file)})[0]


if __name__ == "__main__":
    os.environ["BENCH_MODEL"] = MODEL
    os.environ["BENTOML_DO_NOT_TRACK"] = "true"
    here = Path(__file__).parent
    bento = str(Path(sys.executable).parent / "bentoml")
    os.chdir(here)
    os.execv(bento, ["bentoml", "serve", "bentoml_peer:Served", "--port", sys.argv[2], "--host", "127.0.0.1"])
