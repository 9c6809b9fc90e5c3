"""The public KServe V2 client, unchanged, against a real gunicorn whose two workers must both know of each change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import urllib3
from onnx import TensorProto

from tests.conftest import migrated_database
from tests.e2e.service import KEY, Service, until
from tests.serving import graphs

tritonclient = pytest.importorskip("tritonclient.http", reason="needs tritonclient of requirements-dev.txt")
HEADERS = {"Authorization": f"Bearer {KEY}"}  # copied for each call: the client adds to it


@pytest.fixture(scope="module")
def service(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with migrated_database(postgres_url) as url:
        folder: Path = tmp_path_factory.mktemp("kserve")
        service = Service(folder, url, RATE_LIMIT_ENABLED="false")
        try:
            yield service.launch_and_wait("-m", "gunicorn", "wsgi:app")
        finally:
            service.destroy()


def add(service: Service, name: str, data: bytes, version: str = "1.0.0") -> str:
    """Make a model, send its file, validate it."""
    status, model = service.post("/api/v1/models", {"name": name, "version": version})
    assert status == 201, model
    sent = urllib3.request(
        "POST",
        f"http://127.0.0.1:{service.port}/api/v1/models/{model['id']}/upload?validate=true&wait=60",
        fields={"file": ("model.onnx", data)},
        timeout=60,
        headers=dict(HEADERS),
    )
    assert sent.json()["validation"]["valid"], sent.json()
    return str(model["id"])


@pytest.fixture
def client(service: Service) -> Iterator[Any]:
    client = tritonclient.InferenceServerClient(f"127.0.0.1:{service.port}")
    yield client
    client.close()


def tensor(name: str, array: Any, datatype: str, *, binary: bool) -> Any:
    made = tritonclient.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def test_the_public_client_works_unchanged(service: Service, client: Any) -> None:
    add(service, "double", graphs.doubling())
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.get_server_metadata()["name"] == "thetool"
    assert client.is_model_ready("double", headers=dict(HEADERS))
    assert client.is_model_ready("double", "1.0.0", headers=dict(HEADERS))
    assert not client.is_model_ready("nobody", headers=dict(HEADERS))
    metadata = client.get_model_metadata("double", headers=dict(HEADERS))
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}]

    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    for binary in (True, False):
        for compression in (None, "gzip", "deflate"):
            answer = client.infer(
                "double",
                [tensor("x", array, "FP32", binary=binary)],
                outputs=[tritonclient.InferRequestedOutput("y", binary_data=binary)],
                request_id="mine",
                headers=dict(HEADERS),
                request_compression_algorithm=compression,
                response_compression_algorithm=compression,
            )
            assert np.array_equal(answer.as_numpy("y"), array * 2)
            assert answer.get_response()["id"] == "mine"
    answer = client.async_infer("double", [tensor("x", array, "FP32", binary=True)], headers=dict(HEADERS)).get_result()
    assert np.array_equal(answer.as_numpy("y"), array * 2)


def test_the_public_client_sends_strings_and_hears_errors(service: Service, client: Any) -> None:
    add(service, "text", graphs.identity(TensorProto.STRING))
    words = np.array([["ä", "longer than that"]], dtype=object)
    for binary in (True, False):
        answer = client.infer("text", [tensor("x", words, "BYTES", binary=binary)], headers=dict(HEADERS))
        assert [one.decode() for one in answer.as_numpy("y").ravel()] == words.ravel().tolist()
    with pytest.raises(tritonclient.InferenceServerException, match="FP32 .* came, BYTES"):
        client.infer("text", [tensor("x", np.zeros((1, 2), np.float32), "FP32", binary=True)], headers=dict(HEADERS))
    with pytest.raises(tritonclient.InferenceServerException, match="You have no ready model"):
        client.infer("nobody", [tensor("x", words, "BYTES", binary=True)], headers=dict(HEADERS))
    with pytest.raises(tritonclient.InferenceServerException, match="Send a key"):
        client.infer("text", [tensor("x", words, "BYTES", binary=True)])


def test_both_workers_hear_of_a_change(service: Service) -> None:
    for factor, version in ((2.0, "1.0.0"), (3.0, "2.0.0")):
        add(service, "moved", graphs.doubling(factor), version)
    path = "/api/v1/models/by-name/moved/aliases/production"

    def answers() -> set[float]:
        given = set()
        for _ in range(8):  # each on a connection of its own: both workers answer
            status, told = service.post("/api/v1/models/by-name/moved/predict", {"instances": [[1, 1, 1]]})
            assert status == 201, told
            given.add(told["predictions"][0][0])
        return given

    for version, factor in (("1.0.0", 2), ("2.0.0", 3), ("1.0.0", 2)):
        assert service.request("PUT", path, {"version": version})[0] == 200
        until(lambda factor=factor: answers() == {factor}, "all workers know what the alias names", 5)  # type: ignore[misc]


def test_a_worker_at_rest_holds_no_onnxruntime(tmp_path: Path, postgres_url: str) -> None:
    with migrated_database(postgres_url) as url:
        service = Service(tmp_path, url, WEB_CONCURRENCY="1")
        try:
            service.launch_and_wait("-m", "gunicorn", "wsgi:app")
            (worker,) = until(service.workers, "a worker")
            assert worker.memory_info().rss < 150 * 2**20
            maps = Path(f"/proc/{worker.pid}/maps")
            if os.access(maps, os.R_OK):
                assert "onnxruntime" not in maps.read_text()
        finally:
            service.destroy()
