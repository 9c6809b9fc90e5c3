"""Devices and their leases, with real processes that take them and die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from thetool import gpu
from thetool.access.ids import MASTER_OWNER_ID
from thetool.config import Settings
from thetool.database.ids import new_id
from thetool.gpu import Device, visible
from thetool.gpu.watch import DeviceWatch
from thetool.jobs import registry
from thetool.jobs.admission import NoWorker
from thetool.jobs.context import JobContext
from thetool.jobs.local import queue_of
from thetool.jobs.registry import job
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit
from thetool.jobs.waiting import wait_for

HOLDER = """
import sys
from thetool import gpu
from thetool.config import Settings

print(gpu.take(Settings(DEVICE_LOCKS_DIR=sys.argv[1])) is not None, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def locks(tmp_path: Path) -> Iterator[Settings]:
    yield Settings(DEVICE_LOCKS_DIR=tmp_path / "locks")
    gpu.give_back()


def holder(settings: Settings) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(settings.device_locks_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def says(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None
    return process.stdout.readline() == b"True\n"


def test_of_workers_that_start_at_once_one_gets_the_device_and_its_death_frees_it(locks: Settings) -> None:
    started = [holder(locks) for _ in range(5)]
    try:
        got = [process for process in started if says(process)]
        assert len(got) == 1
        assert gpu.take(locks) is None
        got[0].send_signal(signal.SIGKILL)
        got[0].wait()
        device = gpu.take(locks)
        assert device is not None
        assert gpu.held() == device == gpu.take(locks)
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_the_lock_is_not_taken_through_a_link(locks: Settings, tmp_path: Path) -> None:
    assert locks.device_locks_dir is not None
    locks.device_locks_dir.mkdir()
    (device,) = gpu.devices()
    (locks.device_locks_dir / f"thetool-device-{device.key.replace(':', '-')}.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        gpu.take(locks)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        (None, ["GPU-aa1", "GPU-bb2"]),
        ("1,0", ["GPU-bb2", "GPU-aa1"]),
        ("GPU-bb", ["GPU-bb2"]),
        ("", []),
        ("-1", []),
        ("0,7,1", ["GPU-aa1"]),
        ("5", []),
    ],
)
def test_cuda_visible_devices_is_honoured(asked: str | None, keys: list[str]) -> None:
    found = [Device("GPU-aa1", "one"), Device("GPU-bb2", "two")]
    assert [device.key for device in visible(found, asked)] == keys


class Number(BaseModel):
    number: int


class Room:
    able = False


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    monkeypatch.setattr(Room, "able", False)

    @job("sample.device", queue="gpu", able=lambda settings: Room.able)
    def double(context: JobContext, params: Number) -> Number:
        return Number(number=2 * params.number)

    return "sample.device"


@pytest.fixture
def runner(settings: Settings) -> Iterator[Runner]:
    runner = Runner(settings)
    runner.start()
    yield runner
    runner.close()


def test_a_worker_offers_what_needs_a_device_only_while_it_is_able_and_has_one(
    kind: str, runner: Runner, locks: Settings
) -> None:
    settings = runner.settings.model_copy(update={"device_locks_dir": locks.device_locks_dir})
    watch = DeviceWatch(settings, runner)
    watch.look()
    assert gpu.held() is None, "a device that nobody needs here is left to others"
    with pytest.raises(NoWorker):
        submit(kind, Number(number=1), owner_id=MASTER_OWNER_ID)

    other = holder(locks)
    assert says(other)
    Room.able = True
    watch.look()
    assert kind not in runner.kind_names()
    other.kill()
    other.wait()
    watch.look()
    assert kind in runner.kind_names()
    made = submit(kind, Number(number=21), owner_id=MASTER_OWNER_ID)
    assert wait_for(made.job_id, 10).result == {"number": 42}

    gpu.report_lost(RuntimeError("CUDA error: device lost"))
    watch.look()
    assert kind not in runner.kind_names()
    assert runner.wants_replacement
    watch.close()
    assert gpu.held() is None


@pytest.fixture
def watch(kind: str, runner: Runner, locks: Settings, monkeypatch: pytest.MonkeyPatch) -> DeviceWatch:
    """Of a worker that is able, and has looked for a device once."""
    monkeypatch.setattr(Room, "able", True)
    return DeviceWatch(runner.settings.model_copy(update={"device_locks_dir": locks.device_locks_dir}), runner)


def test_who_drains_takes_no_device_for_it_would_keep_it_from_its_successor(watch: DeviceWatch, runner: Runner) -> None:
    runner.stop_claiming()
    watch.look()
    assert gpu.held() is None


def test_a_replaced_worker_hands_its_device_over_and_callers_may_count_on_it_meanwhile(
    kind: str, watch: DeviceWatch, runner: Runner
) -> None:
    queue = queue_of(runner.settings, name="successor")
    watch.look()
    watch.promise()
    assert runner.drain(5)
    assert not runner.takes(kind)
    assert kind in queue.offered_kinds()
    submit(kind, Number(number=1), owner_id=MASTER_OWNER_ID)

    had: list[Device | None] = []

    def successor() -> None:
        """Takes the device once it is free, and says so, as its own watch does."""
        while gpu.held() is not None:
            time.sleep(0.01)
        had.append(gpu.held())
        assert kind in queue.offered_kinds()
        told = {"host": "", "pid": 1, "version": "", "slots": 1, "running": 0, "draining": False}
        queue.heartbeat(new_id(), kinds=[kind], **told)

    next_one = threading.Thread(target=successor)
    next_one.start()
    watch.hand_over()
    next_one.join()
    assert had == [None]
    mine = next(each for each in queue.live_workers() if each["id"] == runner.worker_id)
    assert mine["draining"]
    queue.close()


def test_a_device_whose_memory_cannot_be_left_is_not_given_back(watch: DeviceWatch, runner: Runner) -> None:
    watch.look()
    stuck = DeviceWatch(runner.settings, runner, cool=lambda settings: False)
    stuck.close()
    assert gpu.held() is not None


def test_a_worker_with_a_device_is_not_replaced_by_count_or_memory(
    locks: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from thetool.worker import Worker

    worker = object.__new__(Worker)
    worker.settings = Settings(MAX_REQUESTS=1, WORKER_MAX_RSS_MB=1)
    worker.nr, worker.runner = 5, None
    monkeypatch.setattr("thetool.worker._models_bytes", lambda: 0)
    assert worker._why_worn_out() == "5 requests served"
    assert gpu.take(locks)
    assert worker._why_worn_out() is None
    gpu.give_back()
    worker.nr = 0
    assert "MiB" in str(worker._why_worn_out())


def test_locks_are_where_all_workers_of_the_host_find_them() -> None:
    assert os.access(gpu.locks_folder(Settings()), os.W_OK)
