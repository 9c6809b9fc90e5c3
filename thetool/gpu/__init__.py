"""Devices and their leases: which worker of a host computes on its GPU, or, where there is none, loads what is heavy.

A lease is a lock (`flock`) on a file named for the device in a folder of the host. The kernel lets go of it when the
holder dies, however it dies, and another worker of that host takes it within a second. A lock in Postgres would be lost
with its connection while the holder lives.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import structlog

from thetool.config import Settings
from thetool.jobs import registry
from thetool.jobs.local import local
from thetool.jobs.registry import TransientError
from thetool.telemetry.health import register_probe

log = structlog.get_logger(__name__)

QUEUE = "gpu"
CPU = "cpu:0"


class DeviceLost(TransientError):  # noqa: N818  reads as a sentence where it is raised
    """The device that this worker holds cannot be used any more; another one takes the job over."""

    code = "device_lost"


@dataclass(frozen=True)
class Device:
    """A device of this host: a GPU by its UUID, or `cpu:0`, which stands for the whole machine."""

    key: str
    title: str

    @property
    def is_gpu(self) -> bool:
        """Whether it is a CUDA device."""
        return self.key != CPU

    def in_torch(self) -> Any:
        """The `torch.device` that it is in this process, whatever `CUDA_VISIBLE_DEVICES` made of the numbers.

        Raises:
            DeviceLost: torch does not see it (any more).
        """
        import torch

        if not self.is_gpu:
            return torch.device("cpu")
        for number in range(torch.cuda.device_count()):
            if str(torch.cuda.get_device_properties(number).uuid) in self.key:
                return torch.device("cuda", number)
        raise DeviceLost(f"The GPU {self.title} ({self.key}) is not there any more.")


class Lease:
    """The right to use a device, as long as this process lives or until it is given back."""

    def __init__(self, device: Device, file: int) -> None:
        self.device = device
        self._file = file

    def give_back(self) -> None:
        """Let others have it."""
        os.close(self._file)


_lease: Lease | None = None
_is_lost = False


def held() -> Device | None:
    """The device that this process holds."""
    return _lease.device if _lease else None


def take(settings: Settings) -> Device | None:
    """Take a free device of this host for this process; None when others hold all. A second call gives the same one."""
    global _lease
    if _lease is None:
        leases = (_locked(locks_folder(settings), device) for device in devices())
        _lease = next((lease for lease in leases if lease), None)
    return held()


def report_lost(why: Exception) -> DeviceLost:
    """Note that the device fails: this process offers nothing more and asks to be replaced. Gives what to raise."""
    global _is_lost
    _is_lost = True
    log.error("the device is lost; this worker asks to be replaced", device=str(held()), error=str(why))
    return DeviceLost(f"The device of the worker that ran it failed: {why}")


def is_lost() -> bool:
    """Whether the device of this process failed."""
    return _is_lost


def give_back() -> None:
    """Let others have the device of this process; harmless without one."""
    global _lease, _is_lost
    lease, _lease, _is_lost = _lease, None, False
    if lease is not None:
        lease.give_back()


def devices() -> list[Device]:
    """The devices that this process may use, by their numbers: the GPUs, else the CPU. Imports no torch."""
    return list(_gpus()) or [Device(CPU, "CPU")]


def locks_folder(settings: Settings) -> Path:
    """Where the locks are: the system's folder for such files, or else the one for temporary files."""
    if settings.device_locks_dir is not None:
        return settings.device_locks_dir
    system = Path("/run/lock")
    return system if os.access(system, os.W_OK) else Path(tempfile.gettempdir())


def _locked(folder: Path, device: Device) -> Lease | None:
    """The lease, unless another process has it. The file stays: who removed it would let two have the device."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"thetool-device-{device.key.replace(':', '-')}.lock"
    # Readable by all, so that another user's service can lock it too; never through a link that somebody put there.
    file = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    except BaseException:
        os.close(file)
        raise
    return Lease(device, file)


def _gpus() -> Iterator[Device]:
    """The GPUs that `CUDA_VISIBLE_DEVICES` leaves, asked of the driver: that starts no CUDA in this process."""
    if not _torch_has_cuda():
        return
    try:
        import pynvml
    except ImportError:
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver, and so no GPU
        return
    try:
        found = []
        for number in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(number)
            found.append(Device(str(pynvml.nvmlDeviceGetUUID(handle)), str(pynvml.nvmlDeviceGetName(handle))))
        yield from visible(found, os.environ.get("CUDA_VISIBLE_DEVICES"))
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def visible(found: list[Device], asked: str | None) -> list[Device]:
    """Those of `found` that a value of `CUDA_VISIBLE_DEVICES` names, by number or by (the beginning of) the UUID.

    As CUDA does, the first name that fits none ends the list.
    """
    if asked is None:
        return found
    chosen: list[Device] = []
    for name in (part.strip() for part in asked.split(",")):
        by_number = found[int(name) : int(name) + 1] if name.isdecimal() else []
        fits = by_number or [device for device in found if name.startswith("GPU-") and device.key.startswith(name)]
        if not fits:
            break
        chosen += fits[:1]
    return chosen


def _torch_has_cuda() -> bool:
    try:
        return not version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False


def register() -> None:
    """Show `gpu` in the health documents: how many live workers of all copies have a device, and for what."""
    register_probe("gpu", _health)


def _health() -> dict[str, Any]:
    kinds = {kind.name for kind in registry.kinds() if kind.queue == QUEUE}
    offered = [kinds.intersection(worker["kinds"]) for worker in local.queue.live_workers()]
    holders = [names for names in offered if names]
    device = held()
    return {
        "status": "ok" if holders else "absent",
        "workers": len(holders),
        "kinds": sorted(set().union(*holders)),
        "here": device and device.title,
    }
