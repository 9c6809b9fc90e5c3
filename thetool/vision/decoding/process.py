"""A decoder's child as its parent sees it: started, asked, listened to, killed."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from thetool.jobs import frames
from thetool.jobs.frames import BadFrame, Frame, FrameReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

START_SECONDS = 60.0
LOOK_SECONDS = 0.25
REAP_SECONDS = 5.0
KEPT_BYTES = 16 * 2**20
OUTPUT_BYTES = 2_000

ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""What the child may know of our surroundings."""

_MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20)}
"""Keep the memory of one photo for the next: half of the time went into giving it back and getting it again."""


@dataclass(frozen=True)
class Limits:
    """What an image may cost: pixels in full size, seconds to decode, MiB of memory of the child."""

    pixels: int = 100_000_000
    seconds: float = 10.0
    memory_mb: int = 1_024


class ChildGone(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The child died by itself.

    `status` is as `subprocess` gives it: negative for a signal.
    """

    def __init__(self, status: int | None, output: str) -> None:
        super().__init__(f"the decoder's process ended with status {status}: {output}")
        self.status = status


class Nonsense(Exception):  # noqa: N818  see above
    """What the child said or left makes no sense; nothing that it says is believed."""


class OutOfTime(Exception):  # noqa: N818  see above
    """The child did not answer in time."""


class DecoderProcess:
    """One child process, which decodes one image at a time.

    Content and pixels go through a file in memory that both have open. Memory that was used before costs a tenth of
    new memory (0.1 ms for 2.7 MB, not 2), so the file is kept from photo to photo; we only read and write it, never map
    it, so that a child gone wild cannot make us fault by cutting it off.
    """

    def __init__(self, limits: Limits) -> None:
        with contextlib.ExitStack() as ours:  # closed here if it cannot be started, else by `kill`
            self._shared = _memory_file(ours)
            self._output = _memory_file(ours)
            self._sock, theirs = map(ours.enter_context, socket.socketpair())
            with theirs:
                self._process = _started(limits, theirs.fileno(), self._shared, self._output)
            self._ours = ours.pop_all()
        self._reader = FrameReader(self._sock)
        self.photos = 0

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def wait_until_ready(self, check: Callable[[], None]) -> None:
        """Wait until a new child can decode; `check` is called meanwhile, and may raise.

        Raises:
            ChildGone: it died.
            OutOfTime: it did not get ready.
            Nonsense: it said something else.
        """
        self._hear(b"R", time.monotonic() + START_SECONDS, check)

    def decode(self, content: bytes, longest: int | None, seconds: float, check: Callable[[], None]) -> dict[str, Any]:
        """What the child says of this content; its pixels are then to be had from `pixels`.

        Raises:
            ChildGone: it died.
            OutOfTime: it did not answer in time.
            Nonsense: its answer makes no sense.
        """
        deadline = time.monotonic() + seconds
        self.photos += 1
        _write_all(self._shared, content)
        with contextlib.suppress(OSError):  # it is gone, as will be heard
            frames.send(self._sock, b"D", json.dumps({"size": len(content), "longest": longest}).encode())
        told = self._hear(b"D", deadline, check)
        try:
            answer = json.loads(told)
        except (ValueError, RecursionError) as error:
            raise Nonsense(str(error)) from None
        if not isinstance(answer, dict):
            raise Nonsense("its answer is no object")
        return answer

    def pixels(self, height: int, width: int) -> NDArray[np.uint8]:
        """The pixels that it left, (height, width, 3), read-only.

        Raises:
            Nonsense: they are not as many.
        """
        import numpy as np

        found = np.empty((height, width, 3), np.uint8)
        rest = found.reshape(-1).data
        while rest:
            number = os.preadv(self._shared, [rest], found.nbytes - rest.nbytes)
            if not number:
                raise Nonsense("it left fewer pixels than it said")
            rest = rest[number:]
        found.flags.writeable = False
        return found

    def tidy(self) -> None:
        """Give back the memory of what was large."""
        if os.fstat(self._shared).st_size > KEPT_BYTES:
            os.ftruncate(self._shared, 0)
        if os.fstat(self._output).st_size > OUTPUT_BYTES:
            os.ftruncate(self._output, 0)
            os.lseek(self._output, 0, os.SEEK_SET)  # the place where the child writes on is the same one

    def interrupt(self) -> None:
        """End it while another thread waits for its answer, which then hears that it is gone."""
        self._process.kill()

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(REAP_SECONDS)
        self._ours.close()

    def _hear(self, wanted: bytes, deadline: float, check: Callable[[], None]) -> bytes:
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        while True:
            frame = self._frame()
            if frame is not None:
                if frame[0] != wanted:
                    raise Nonsense(f"it said {frame[0]!r}, not {wanted!r}")
                return frame[1]
            check()
            left = deadline - time.monotonic()
            if left <= 0:
                raise OutOfTime
            if poll.poll(min(left, LOOK_SECONDS) * 1000) and not self._fill():
                raise self._gone()

    def _frame(self) -> Frame | None:
        try:
            return self._reader.take()
        except BadFrame as error:
            raise Nonsense(str(error)) from None

    def _fill(self) -> bool:
        try:
            return self._reader.fill()
        except OSError:
            return False

    def _gone(self) -> ChildGone:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(REAP_SECONDS)
        size = os.fstat(self._output).st_size
        words = os.pread(self._output, OUTPUT_BYTES, max(0, size - OUTPUT_BYTES))
        return ChildGone(self._process.returncode, words.decode(errors="replace"))


def _started(limits: Limits, sock: int, shared: int, output: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "thetool.vision.decoding.child"]
        + [str(sock), str(shared), json.dumps(asdict(limits))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=output,
        cwd="/",
        env=_environment(),
        pass_fds=(sock, shared),
        start_new_session=True,
    )


def _memory_file(closing: contextlib.ExitStack) -> int:
    """A file without a name: in memory where the system has that, else in the folder for temporary files."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("thetool-photo", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            number = os.dup(file.fileno())
    closing.callback(os.close, number)
    return number


def _write_all(number: int, content: bytes) -> None:
    rest, at = memoryview(content), 0
    while rest:
        written = os.pwrite(number, rest, at)
        at, rest = at + written, rest[written:]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    ours = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**kept, **ours, **_MALLOC}
