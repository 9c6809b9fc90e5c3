"""KServe V2 by hand: what clients of all kinds send, and how errors are told."""

from __future__ import annotations

import gzip
import json
import struct
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from tests.serving import graphs
from tests.serving.house import House

HOUSE = {"MAX_UPLOAD_BYTES": 100_000}


@pytest.fixture(scope="module", autouse=True)
def models(house: House) -> None:
    house.add("double", graphs.doubling(), "1.0.0")
    house.add("double", graphs.doubling(3.0), "2.0.0")
    house.add("text", graphs.identity(TensorProto.STRING))
    house.add("flags", graphs.identity(TensorProto.BOOL))
    house.make("unready")


def infer(house: House, name: str, body: Any, **headers: str) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return house.post(f"/v2/models/{name}/infer", data=sent, headers={"Content-Type": "application/json", **headers})


def tensor(name: str = "x", **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]} | more


def test_server_and_health_are_open(house: House) -> None:
    nobody: dict[str, str] = {}
    server = house.get("/v2", nobody).json
    assert (server["name"], server["extensions"]) == ("thetool", ["binary_tensor_data"])
    assert house.get("/v2/health/live", nobody).json == {"live": True}
    assert house.get("/v2/health/ready", nobody).json == {"ready": True}
    assert house.get("/v2/models/double", nobody).json["error"]
    assert house.get("/v2/repository/index").json["error"], "also where this protocol has more than is served"
    assert house.get("/v2/models/double/infer").json["error"]
    assert "error" not in house.get("/api/v1/models/no-id").json


def test_metadata_and_readiness(house: House) -> None:
    told = house.get("/v2/models/double").json
    assert told == {
        "name": "double",
        "versions": ["2.0.0", "1.0.0"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 3]}],
    }
    assert house.get("/v2/models/double/versions/1.0.0").json["name"] == "double"
    assert house.get("/v2/models/double/versions/latest/ready").json == {"name": "double", "ready": True}
    assert house.get("/v2/models/unready/versions/1.0.0/ready").status_code == 409
    assert house.get("/v2/models/nobody/ready").status_code == 404


def test_json_in_and_out(house: House) -> None:
    answer = infer(house, "double/versions/1.0.0", {"id": "7", "inputs": [tensor()]})
    assert answer.status_code == 200
    assert answer.json == {
        "model_name": "double",
        "model_version": "1.0.0",
        "id": "7",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 3], "data": [2.0, 4.0, 6.0]}],
    }
    nested = tensor(shape=[2, 3], data=[[1, 1, 1], [2, 2, 2]])
    assert infer(house, "double", {"inputs": [nested]}).json["outputs"][0]["data"] == [3, 3, 3, 6, 6, 6]
    text = {"name": "x", "shape": [1, 2], "datatype": "BYTES", "data": ["ä", ""]}
    assert infer(house, "text", {"inputs": [text]}).json["outputs"][0]["data"] == ["ä", ""]


def test_bytes_in_and_out(house: House) -> None:
    array = np.arange(6, dtype="<f4").reshape(2, 3)
    head = {
        "inputs": [{"name": "x", "shape": [2, 3], "datatype": "FP32", "parameters": {"binary_data_size": 24}}],
        "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
    }
    head_bytes = json.dumps(head).encode()
    body = head_bytes + array.tobytes()
    length = {"Inference-Header-Content-Length": str(len(head_bytes)), "Content-Type": "application/octet-stream"}
    for sent, more in ((body, {}), (gzip.compress(body), {"Content-Encoding": "gzip"})):
        answer = infer(house, "double", sent, **length, **more)
        assert answer.status_code == 200, answer.json
        told = int(answer.headers["Inference-Header-Content-Length"])
        output = json.loads(answer.data[:told])["outputs"][0]
        assert output["parameters"] == {"binary_data_size": 24}
        assert np.array_equal(np.frombuffer(answer.data[told:], "<f4").reshape(2, 3), array * 3)


def test_strings_and_booleans_as_bytes(house: House) -> None:
    for name, datatype, raw in (
        ("text", "BYTES", b"".join(struct.pack("<I", len(one)) + one for one in ("ä".encode(), b""))),
        ("flags", "BOOL", b"\x01\x00"),
    ):
        head = {
            "parameters": {"binary_data_output": True},
            "inputs": [
                {"name": "x", "shape": [1, 2], "datatype": datatype, "parameters": {"binary_data_size": len(raw)}}
            ],
        }
        head_bytes = json.dumps(head).encode()
        answer = infer(house, name, head_bytes + raw, **{"Inference-Header-Content-Length": str(len(head_bytes))})
        told = int(answer.headers["Inference-Header-Content-Length"])
        assert answer.data[told:] == raw


def binary(
    size: Any = 12, raw: bytes = bytes(12), length: int | None = None, **more: Any
) -> tuple[bytes, dict[str, str]]:
    one = {"name": "x", "shape": [1, 3], "datatype": "FP32", "parameters": {"binary_data_size": size}} | more
    head = json.dumps({"inputs": [one]}).encode()
    return head + raw, {"Inference-Header-Content-Length": str(len(head) if length is None else length)}


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("double", b"", "not valid JSON"),
        ("double", b"{", "not valid JSON"),
        ("double", {}, "inputs"),
        ("double", {"inputs": []}, "Missing: 'x'"),
        ("double", {"inputs": [tensor("z")]}, "Unknown: 'z'"),
        ("double", {"inputs": [tensor(datatype="FP64")]}, "FP64 [1, 3] came, FP32"),
        ("double", {"inputs": [tensor(shape=[3])]}, "A dimension is missing"),
        ("double", {"inputs": [tensor(shape=[1, 4])]}, "3 values for the shape [1, 4]"),
        ("double", {"inputs": [tensor(shape=[-1, 3])]}, "the shape [-1, 3]"),
        ("double", {"inputs": [tensor(shape=[0, 3], data=[])]}, "length zero"),
        ("double", {"inputs": [tensor(data=None)]}, "no `data`"),
        ("double", {"inputs": [tensor(data=[1, "a", 3])]}, "the string 'a'"),
        ("double", {"inputs": [tensor()], "outputs": [{"name": "q"}]}, "no output 'q'"),
        ("double", {"inputs": [tensor()], "outputs": [{"name": "y", "parameters": {"classification": 3}}]}, "classifi"),
        ("unready/versions/1.0.0", {"inputs": [tensor()]}, "is pending"),
        ("nobody", {"inputs": [tensor()]}, "You have no"),
        ("double", binary(raw=bytes(11)), "binary_data_size 12"),
        ("double", binary(raw=bytes(13)), "1 bytes are left"),
        ("double", binary(size=-1), "binary_data_size -1"),
        ("double", binary(size="12"), "binary_data_size '12'"),
        ("double", binary(size=8, raw=bytes(8)), "8 bytes for the shape [1, 3]"),
        ("double", binary(length=99999), "says 99999 bytes"),
        ("double", binary(length=0), "says 0 bytes"),
        ("double", binary(shape=[2**62, 2**62]), "the shape"),
        ("double", binary(shape=[2**20, 2**20]), "bytes"),
        ("double", binary(shape=[2**62, 2**62, 0], size=0, raw=b""), "the shape"),
        ("double", {"inputs": [tensor(shape=[2**62, 2**62, 0], data=[])]}, "the shape"),
        ("text", binary(datatype="BYTES", shape=[1, 2]), "strings"),
        ("text", binary(datatype="BYTES", shape=[10**6, 10**6]), "strings"),
        ("text", binary(datatype="BYTES", shape=[1, 1], size=5, raw=b"\x01\0\0\0\xff"), "no UTF-8"),
        ("text", binary(datatype="BYTES", shape=[1, 1], size=4, raw=b"\xff\xff\xff\xff"), "a string of 4294967295"),
        ("double", (gzip.compress(bytes(200_000)), {"Content-Encoding": "gzip"}), "unpacked"),
        ("double", (b"nothing", {"Content-Encoding": "gzip"}), "not gzip"),
        ("double", (b"nothing", {"Content-Encoding": "br"}), "br"),
        ("double", (bytes(200_000), {}), "100,000"),
        ("double", (b"{}", {"Content-Type": "text/plain"}), "text/plain"),
    ],
)  # fmt: skip
def test_errors_are_told_as_the_protocol_says(house: House, name: str, body: Any, said: str) -> None:
    sent, headers = body if isinstance(body, tuple) else (body, {})
    answer = infer(house, name, sent, **headers)
    assert answer.status_code in (404, 409, 413, 415, 422), answer.data
    assert said in answer.json["error"]
    assert answer.json["error"] == answer.json["detail"]
