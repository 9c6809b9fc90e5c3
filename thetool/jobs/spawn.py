"""Starting a child process, talking with it, killing it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from thetool.config import Settings
from thetool.jobs import frames, scratch
from thetool.jobs.claims import Claim
from thetool.jobs.frames import BadFrame, Frame, FrameReader
from thetool.jobs.local import local
from thetool.jobs.process_tree import kill_group
from thetool.jobs.registry import JobKind

START_SECONDS = 60.0
SEND_SECONDS = 10.0
REAP_SECONDS = 5.0
OUTPUT_BYTES = 8192

# What a child may know of the worker's surroundings. The rest, keys and database addresses above all, stays here.
ENVIRONMENT = (
    "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HF_HOME", "CUDA_VISIBLE_DEVICES", "JAVA_HOME",
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS",
)  # fmt: skip


class ChildGone(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The child died by itself; `output` is the last that it wrote."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


class Child:
    """One child process, as the thread that started it sees it. It leads a process group and a session of its own."""

    def __init__(self) -> None:
        self.jobs = 0
        ours, theirs = socket.socketpair()
        self.scratch = scratch.make_scratch()
        try:
            with theirs:
                self._process = _started(theirs, self.scratch)
        except BaseException:
            ours.close()
            scratch.remove(self.scratch)
            raise
        ours.settimeout(SEND_SECONDS)
        self._sock = ours
        self._reader = FrameReader(ours)
        assert self._process.stdout is not None  # noqa: S101  for the type checker: it is a pipe
        self._stdout = self._process.stdout
        os.set_blocking(self._stdout.fileno(), False)
        self._output = b""
        self._ready = False
        self.streams: list[Any] = [self._sock, self._stdout]

    @property
    def pid(self) -> int:
        """The process id, which is also its group's."""
        return self._process.pid

    def wait_until_ready(self, check: Callable[[], None]) -> None:
        """Wait until a new child can take a job; `check` is called meanwhile, and may raise.

        Raises:
            ChildGone: it died, or did not get ready.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self._ready:
            check()
            if time.monotonic() >= deadline:
                raise ChildGone("Its process did not start in time.", self._tail())
            self.listen(0.1)
            frame = self.frame()
            if frame is not None and frame[0] != b"R":
                raise BadFrame("it spoke before it was ready")
            self._ready = frame is not None

    def give(self, kind: JobKind, claim: Claim) -> None:
        """Give it a job."""
        told = {
            "kind": kind.name,
            "module": kind.module,
            "job_id": str(claim.id),
            "owner_id": str(claim.owner_id),
            "correlation_id": claim.correlation_id,
            "attempt": claim.attempt,
            "claim_token": str(claim.token),
            "memory_mb": kind.memory_mb,
            "disk_mb": kind.disk_mb,
        }
        self._send(b"J", orjson.dumps(told))
        self._send(b"P", claim.params.encode())

    def answer(self, value: dict[str, Any]) -> None:
        """Answer what it asked."""
        self._send(b"A", orjson.dumps(value))

    def listen(self, seconds: float) -> None:
        """Take in what it says, waiting so long for something.

        Raises:
            ChildGone: it hung up.
        """
        poll = select.poll()  # select() itself takes no file numbers above 1023, and a busy worker has more
        for stream in self.streams:
            poll.register(stream, select.POLLIN)
        ready = {number for number, _ in poll.poll(seconds * 1000)}
        if self._stdout.fileno() in ready:
            self._read_output()
        if self._sock.fileno() in ready:
            try:
                alive = self._reader.fill()
            except OSError:
                alive = False
            if not alive:
                raise self._gone()

    def frame(self) -> Frame | None:
        """The next thing that it said."""
        return self._reader.take()

    def clear_scratch(self) -> bool:
        """Empty its folder for the next job."""
        return scratch.clear(self.scratch)

    def kill(self) -> None:
        """Kill it and what it started, and remove its folder."""
        kill_group(self.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(REAP_SECONDS)
        self._sock.close()
        self._stdout.close()
        scratch.remove(self.scratch)

    def _send(self, letter: bytes, payload: bytes) -> None:
        try:
            frames.send(self._sock, letter, payload)
        except OSError:
            raise self._gone() from None

    def _read_output(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._stdout.fileno(), 65_536)
            self._output = (self._output + data)[-OUTPUT_BYTES:]
            if not data:
                self.streams = [self._sock]

    def _gone(self) -> ChildGone:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(REAP_SECONDS)
        self._read_output()
        return ChildGone(f"Its process {_ending(self._process.returncode)}.", self._tail())

    def _tail(self) -> str:
        return self._output.decode(errors="replace")


def _started(line: socket.socket, folder: Path) -> subprocess.Popen[bytes]:
    """A new process that talks on this socket and works in this folder."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "thetool.jobs.child", str(line.fileno()), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=_environment(str(folder)),
        pass_fds=(line.fileno(),),
        start_new_session=True,
    )


def _ending(status: int | None) -> str:
    if status is None:
        return "hung up"
    if status < 0:
        return f"was killed by signal {-status} ({signal.Signals(-status).name})"
    return f"ended by itself with status {status}"


def _environment(folder: str) -> dict[str, str]:
    """The child's environment: what it needs to import our modules, and nothing secret."""
    kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    ours = {"PYTHONPATH": path, "HOME": folder, "TMPDIR": folder, "PYTHONUNBUFFERED": "1"}
    return {**kept, **_open_settings(local.settings), **ours}


def _open_settings(settings: Settings) -> dict[str, str]:
    """The settings that handlers in a child go by: the worker's own, wherever those came from."""
    return {
        "THETOOL_HOME": str(settings.home),
        "WEIGHTS_DIR": str(settings.weights_folder),
        "TEXT_MODEL_NAME": settings.embeddings_model,
        "IMAGE_MODEL_NAME": settings.image_model,
        "OBJECT_DETECTION_MODEL": settings.object_detection_model,
        "OCR_MODEL_NAME": settings.ocr_model,
        "WEB_CONCURRENCY": str(settings.workers),
        "JOB_THREADS": str(settings.job_threads),
        "MAX_TABLE_BYTES": str(settings.max_table_bytes),
        "ENV_FILE": os.devnull,
    }
