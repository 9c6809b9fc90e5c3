"""The requests that each server is asked with: the small model in its own JSON, the image in bytes."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from itertools import count
from threading import Lock

import numpy as np
from load import http_request

from models.graphs import COLUMNS, IMAGE

Body = tuple[bytes, dict[str, str]]
ROWS = 512


def rows() -> list[list[float]]:
    """Rows of which no two are alike, so that no cache helps."""
    return np.random.default_rng(3).random((ROWS, COLUMNS)).round(4).tolist()  # type: ignore[no-any-return]


def rows_array() -> np.ndarray:
    """One of them as an array."""
    return np.array(rows()[:1], dtype=np.float32)


def image() -> np.ndarray:
    """One picture as numbers."""
    return np.random.default_rng(4).random(IMAGE, dtype=np.float32)


def as_json(make: Callable[[list[list[float]]], object]) -> list[Body]:
    """JSON of each row."""
    return [(json.dumps(make([row])).encode(), {"Content-Type": "application/json"}) for row in rows()]


def kserve_json() -> list[Body]:
    """KServe V2 in JSON."""
    return as_json(
        lambda row: {"inputs": [{"name": "x", "shape": [1, COLUMNS], "datatype": "FP32", "data": sum(row, [])}]}
    )


def kserve_image() -> Body:
    """KServe V2 with the picture's bytes after the JSON."""
    array = image()
    tensor = {
        "name": "x",
        "shape": list(array.shape),
        "datatype": "FP32",
        "parameters": {"binary_data_size": array.nbytes},
    }
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True, "skip_cache": True}}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return head + array.tobytes(), headers


def kserve_base64_image() -> Body:
    """KServe V2 in JSON with the picture's `.npy` file in base64, for a server without the binary extension."""
    data = base64.b64encode(npy_image()[0]).decode()
    tensor = {"name": "x", "shape": [1, 1], "datatype": "BYTES", "parameters": {"content_type": "base64"}}
    body = json.dumps({"inputs": [{**tensor, "data": [data]}]}).encode()
    return body, {"Content-Type": "application/json"}


def npy_image() -> Body:
    """The picture as a `.npy` file."""
    file = io.BytesIO()
    np.save(file, image())
    return file.getvalue(), {"Content-Type": "application/x-npy"}


def form_image() -> Body:
    """The picture as a `.npy` file in a form."""
    edge = "thetool-bench"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="x.npy"\r\n'
    head += "Content-Type: application/octet-stream\r\n\r\n"
    body = head.encode() + npy_image()[0] + f"\r\n--{edge}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={edge}"}


def requests(path: str, bodies: list[Body], more: dict[str, str]) -> Callable[[], bytes]:
    """The next request, for all threads."""
    made = [http_request("POST", path, body=body, headers={**headers, **more}) for body, headers in bodies]
    numbers: Iterator[int] = count()
    lock = Lock()

    def following() -> bytes:
        with lock:
            return made[next(numbers) % len(made)]

    return following
