"""LitServe: two workers, its batching on for the small model."""

from __future__ import annotations

import io
import sys

import litserve
import numpy as np
import onnxruntime

MODEL, PORT = sys.argv[1], int(sys.argv[2])
IMAGE = "mobilenet" in MODEL


class Api(litserve.LitAPI):
    def setup(self, device: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])

    def decode_request(self, request) -> np.ndarray:
        if IMAGE:
            return np.load(io.BytesIO(request["file"].file.read()))
        return np.array(request["input"], dtype=np.float32)

    def batch(self, inputs: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(inputs)

    def unbatch(self, output: np.ndarray) -> list[np.ndarray]:
        return [output[number : number + 1] for number in range(len(output))]

    def predict(self, x: np.ndarray) -> np.ndarray:
        return self.session.run(None, {"x": x})[0]

    def encode_response(self, output: np.ndarray) -> dict[str, object]:
        return {"output": output.tolist()}


if __name__ == "__main__":
    batching = {} if IMAGE else {"max_batch_size": 64, "batch_timeout": 0.001}
    server = litserve.LitServer(Api(**batching), accelerator="cpu", workers_per_device=2, timeout=60)
    server.run(port=PORT, generate_client_file=False, log_level="warning", num_api_servers=1)
