"""A light copy without torch and one with it, two real gunicorns on one Postgres, share the work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import websocket

from tests.conftest import migrated_database
from tests.e2e.service import KEY, ROOT, Service, until
from thetool.restyle.jobs import KIND

pytestmark = pytest.mark.torch
LIGHT = Path(os.environ.get("THETOOL_LIGHT_PYTHON", ROOT / ".venv/bin/python"))


def has_torch(python: Path) -> bool:
    return subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def copies(
    postgres_url: str, weights_dir: Path, tiny_models: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, Service]]:
    """The light copy and the one with a device; both serve the whole application."""
    if not LIGHT.exists():
        pytest.skip("there is no light environment: scripts/test makes it")
    assert not has_torch(LIGHT), "the light environment must not have torch"
    common = {"WEIGHTS_DIR": weights_dir, "RATE_LIMIT_ENABLED": "false", "JOB_LEASE_SECONDS": 3, **tiny_models}
    with migrated_database(postgres_url) as url:
        locks = tmp_path_factory.mktemp("locks")
        light = Service(tmp_path_factory.mktemp("light"), url, WEB_CONCURRENCY=1, DEVICE_LOCKS_DIR=locks, **common)
        heavy = Service(
            tmp_path_factory.mktemp("heavy"),
            url,
            WEB_CONCURRENCY=2,
            DEVICE_LOCKS_DIR=locks,
            OMP_NUM_THREADS=1,
            **common,
        )
        light.python = str(LIGHT)
        try:
            light.launch_and_wait("-m", "gunicorn", "wsgi:app")
            yield light, heavy
        finally:
            light.destroy()
            heavy.destroy()


def send(service: Service, photo: bytes, **fields: str) -> tuple[int, Any]:
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="room.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n".encode()
        + photo
        + f"\r\n--{boundary}--\r\n".encode()
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}/transform/submit",
        data=b"".join(parts),
        headers={"X-API-Key": KEY, "Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read())


def offering(service: Service) -> list[dict[str, Any]]:
    _, told = service.get("/api/v1/health/workers")
    return [worker for worker in told["workers"] if KIND in worker["kinds"]]


def test_a_light_copy_takes_photos_in_and_the_other_restyles_them(
    copies: tuple[Service, Service], photo: bytes
) -> None:
    light, heavy = copies
    status, problem = send(light, photo)
    assert (status, problem["code"]) == (503, "restyle_unavailable"), "nobody can yet"

    heavy.launch_and_wait("-m", "gunicorn", "wsgi:app")
    (holder,) = until(lambda: offering(light), "a worker offers it")
    assert len(offering(light)) == 1, "two workers, one device"
    assert holder["pid"] in heavy.worker_pids()

    status, told = send(light, photo, quality="fast", steps="12", seed="1", style="boho")
    assert status == 200, told
    everything = heard(told["websocket_url"])
    assert {"type": "pong"} in everything, "our ping was answered"
    messages = [message for message in everything if message.get("type") != "pong"]
    assert messages[0] == {"type": "connected", "job_id": told["job_id"], "message": "Connected to job updates"}
    states = messages[1:]
    assert all({"job_id", "status", "progress", "message", "timestamp"} <= set(state) for state in states)
    order = ["queued", "analyzing", "generating", "transforming", "finalizing", "completed"]
    stages = [state["status"] for state in states]
    assert stages == sorted(stages, key=order.index)
    assert stages[-1] == "completed"
    assert [state["progress"] for state in states] == sorted(state["progress"] for state in states)
    last = states[-1]
    assert last["result_url"] == last["result"]["transformed_url"]
    with urllib.request.urlopen(last["result_url"], timeout=10) as file:
        assert file.read(3) == b"\xff\xd8\xff", "the light copy serves what the other one made"

    late = heard(told["websocket_url"])
    assert late[-1]["status"] == "completed", "who comes late is told at once how it ended"


def test_at_a_reload_nobody_is_turned_away(copies: tuple[Service, Service], photo: bytes) -> None:
    """The old holder hands its device to one of the new workers; who submits meanwhile need not know."""
    light, heavy = copies
    (old,) = until(lambda: offering(light), "a worker offers it")
    _, running = send(light, photo, quality="fast", steps="60", seed="1")
    until(lambda: light.job(running["job_id"])["status"] == "running", "it runs")
    answers = []
    with ThreadPoolExecutor(1) as pool:
        reload = pool.submit(heavy.reload)
        while not reload.done():
            answers.append(light.get("/transform/styles")[1]["available"])
            time.sleep(0.02)
        reload.result()
    assert len(answers) > 10
    assert all(answers)
    (new,) = until(lambda: offering(light), "the successor alone offers it")
    assert new["pid"] in heavy.worker_pids() - {old["pid"]}
    row = light.until_job(running["job_id"], "completed", 60)
    assert (row["attempts"], row["lost"]) == (1, 0)


def test_when_the_holder_dies_another_worker_of_its_host_takes_the_device_and_the_job(
    copies: tuple[Service, Service], photo: bytes
) -> None:
    light, _ = copies
    (holder,) = until(lambda: offering(light), "a worker offers it")
    _, told = send(light, photo, quality="fast", steps="40", seed="1")
    until(lambda: light.job(told["job_id"])["status"] == "running", "it runs")
    os.kill(holder["pid"], signal.SIGKILL)
    until(lambda: [worker for worker in offering(light) if worker["pid"] != holder["pid"]], "another one offers it")
    row = light.until_job(told["job_id"], "completed", 60)
    assert (row["attempts"], row["lost"]) == (2, 1)


def heard(url: str) -> list[dict[str, Any]]:
    """All that is said there, to a ping of ours too."""
    connection = websocket.create_connection(url, timeout=60)
    try:
        connection.send("ping")
        messages = []
        while True:
            try:
                text = connection.recv()
            except websocket.WebSocketConnectionClosedException:
                break
            if not text:
                break
            messages.append(json.loads(text))
        return messages
    finally:
        connection.close()
