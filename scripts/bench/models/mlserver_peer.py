"""MLServer: two parallel workers and a runtime of its own for ONNX, with its adaptive batching for the small model."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import Base64Codec, NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Onnx(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = self.settings.parameters.uri
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        if payload.inputs[0].datatype == "BYTES":
            x = np.load(io.BytesIO(Base64Codec.decode_input(payload.inputs[0])[0]))
        else:
            x = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32, copy=False)
        output = NumpyCodec.encode_output("y", self.session.run(None, {"x": x})[0])
        return InferenceResponse(model_name=self.name, outputs=[output])


if __name__ == "__main__":
    model, port = Path(sys.argv[1]), int(sys.argv[2])
    folder = Path(tempfile.mkdtemp(prefix="thetool-mlserver-"))
    settings = {
        "name": model.stem,
        "implementation": "mlserver_peer.Onnx",
        "parameters": {"uri": str(model)},
        **({"max_batch_size": 64, "max_batch_time": 0.001} if model.stem == "tabular" else {}),
    }
    (folder / "model-settings.json").write_text(json.dumps(settings))
    server = {"http_port": port, "grpc_port": port + 1, "metrics_port": port + 2, "parallel_workers": 2, "debug": False}
    server["metrics_dir"] = str(folder)
    (folder / "settings.json").write_text(json.dumps(server))
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    os.execv(str(Path(sys.executable).parent / "mlserver"), ["mlserver", "start", str(folder)])
