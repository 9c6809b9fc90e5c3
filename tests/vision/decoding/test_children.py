"""The children that decode: killed when they hang, replaced when they die, unable to do harm."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.vision.pictures import encoded, photo, slow_png
from thetool.vision.decoder import Decoder, Limits
from thetool.vision.photo import Photo
from thetool.vision.problems import DamagedImage, DecoderUnavailable, DecodingTimedOut, ImageTooLarge
from thetool.web.problems import Problem

CONTENT = encoded(photo(100, 80), "JPEG")
Start = Callable[..., Decoder]


def children() -> list[psutil.Process]:
    found = psutil.Process().children()
    return [child for child in found if "thetool.vision.decoding.child" in " ".join(child.cmdline())]


@pytest.fixture
def start() -> Iterator[Start]:
    """Decoders that a test may harm, and that are gone after it."""
    known = {child.pid for child in children()}
    made: list[Decoder] = []

    def start(**limits: float) -> Decoder:
        made.append(Decoder(most=2, limits=Limits(**limits)))  # type: ignore[arg-type]
        made[-1].start()
        return made[-1]

    yield start
    for decoder in made:
        decoder.close()
    assert {child.pid for child in children()} <= known


def newest() -> psutil.Process:
    return max(children(), key=lambda child: child.create_time())  # pids begin anew now and then


def eventually(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Decoding(threading.Thread):
    """An image being decoded, and what came of it."""

    def __init__(self, decoder: Decoder, content: bytes = CONTENT) -> None:
        super().__init__()
        self._decoder, self._content = decoder, content
        self.outcome: Photo | Problem | None = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self._decoder.decode(self._content)
        except Problem as problem:
            self.outcome = problem


def test_one_that_hangs_is_killed_and_replaced(start: Start) -> None:
    decoder = start(seconds=0.3)
    child = newest()
    child.suspend()
    with pytest.raises(DecodingTimedOut, match=r"longer than 0\.3 seconds and was stopped"):
        decoder.decode(CONTENT)
    assert not child.is_running()
    patient = start()
    assert patient.decode(CONTENT).pixels.shape == (80, 100, 3)


def test_what_takes_too_long_is_stopped(start: Start) -> None:
    decoder = start(seconds=0.05)
    with pytest.raises(DecodingTimedOut) as raised:
        decoder.decode(slow_png())
    assert (raised.value.status, raised.value.code) == (422, "decoding_timed_out")


def test_one_that_died_between_photos_is_replaced(start: Start) -> None:
    decoder = start()
    child = newest()
    child.kill()
    child.wait()
    assert decoder.decode(CONTENT).facts.width == 100


def test_one_that_was_killed_at_work_is_replaced_and_the_photo_read(start: Start) -> None:
    decoder = start()
    child = newest()
    child.suspend()
    decoding = Decoding(decoder)
    eventually(lambda: decoder._busy)
    child.kill()
    decoding.join()
    assert isinstance(decoding.outcome, Photo)


def test_a_photo_that_gets_every_child_killed_is_too_large(start: Start) -> None:
    """As when the machine has no memory for it."""
    decoder = start()
    decoding = Decoding(decoder, slow_png())
    killed: set[int] = set()
    for _ in range(2):
        eventually(lambda: {child.pid for child in decoder._busy} - killed)
        (busy,) = decoder._busy
        os.kill(busy.pid, signal.SIGKILL)
        killed.add(busy.pid)
    decoding.join()
    assert isinstance(decoding.outcome, ImageTooLarge)
    assert decoder.decode(CONTENT).facts.width == 100


def test_a_photo_that_crashes_a_child_is_damaged(start: Start) -> None:
    decoder = start()
    child = newest()
    child.suspend()
    decoding = Decoding(decoder)
    eventually(lambda: decoder._busy)
    child.send_signal(signal.SIGSEGV)
    child.resume()
    decoding.join()
    assert isinstance(decoding.outcome, DamagedImage)
    assert "made the decoder crash" in str(decoding.outcome)
    assert decoder.decode(CONTENT).facts.width == 100


def test_a_caller_may_stop_it(start: Start) -> None:
    decoder = start()
    newest().suspend()
    looks = []

    def check() -> None:
        looks.append(1)
        if len(looks) > 2:
            raise KeyError("stopped")

    with pytest.raises(KeyError, match="stopped"):
        decoder.decode(CONTENT, check=check)
    assert decoder.decode(CONTENT).facts.width == 100


def test_no_more_than_so_many_at_once(start: Start) -> None:
    decoder = start()
    before = len(children()) - 1
    decodings = [Decoding(decoder) for _ in range(12)]
    most = 0
    while any(decoding.is_alive() for decoding in decodings):
        most = max(most, len(children()) - before)
        time.sleep(0.005)
    assert all(isinstance(decoding.outcome, Photo) for decoding in decodings)
    assert most <= 2


def test_close_ends_what_is_under_way_and_what_waits(start: Start) -> None:
    decoder = start()
    child = newest()
    child.suspend()
    decoding = Decoding(decoder)
    eventually(lambda: decoder._busy)
    decoder.close()
    decoding.join()
    assert isinstance(decoding.outcome, DecoderUnavailable)
    assert not child.is_running()
    with pytest.raises(DecoderUnavailable, match="is closed"):
        decoder.decode(CONTENT)


def test_a_child_that_cannot_start(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = start()
    newest().kill()
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(DecoderUnavailable, match="did not start; try again"):
        decoder.decode(CONTENT)
    monkeypatch.undo()
    assert decoder.decode(CONTENT).facts.width == 100


def test_one_that_cannot_be_started_leaves_no_files_open(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the system has no room for another process."""
    decoder = start()
    newest().kill()
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(DecoderUnavailable):
        decoder.decode(CONTENT)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(DecoderUnavailable):
            decoder.decode(CONTENT)
    assert len(os.listdir("/proc/self/fd")) == before


def test_children_know_no_secrets_and_are_bounded(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_API_KEY", "secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    start(memory_mb=512)
    child = newest()
    assert "secret" not in str(child.environ())
    assert child.cwd() == "/"
    assert child.rlimit(psutil.RLIMIT_AS) == (512 * 2**20,) * 2
    assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    mapped = Path(f"/proc/{child.pid}/maps").read_text()
    assert "numpy" not in mapped
    assert "psycopg" not in mapped
    assert os.getsid(child.pid) == child.pid


def test_a_child_ends_with_its_parent() -> None:
    """It hears that nobody is there any more: nothing is left when a worker is killed."""
    program = "from thetool.vision.decoder import Decoder; Decoder().start(); print('started', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


MANY = 10_001  # squared, more than any image may have
FACTS = {"format": "PNG", "media_type": "image/png", "width": 4, "height": 3, "bytes": 100}
SAID = {
    "no JSON": b"D{",
    "no object": b"D[1]",
    "a pit": b"D" + b"[" * 100_000,
    "another letter": b"X{}",
    "no pixels": b"D" + json.dumps({"width": 4, "height": 3, "facts": FACTS}).encode(),
    "more pixels than facts": b"D" + json.dumps({"width": 4_000, "height": 3_000, "facts": FACTS}).encode(),
    "too many pixels": b"D"
    + json.dumps({"width": MANY, "height": MANY, "facts": {**FACTS, "width": MANY, "height": MANY}}).encode(),
    "less than nothing": b"D" + json.dumps({"width": -4, "height": 3, "facts": FACTS}).encode(),
    "no facts": b"D" + json.dumps({"width": 4, "height": 3, "facts": None}).encode(),
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_a_child_that_talks_nonsense(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """As one would that an image has taken over: it is not believed, and killed."""
    liar = tmp_path / "python"
    liar.write_text(f"""#!{sys.executable}
import os, socket, sys, struct
sock, said = socket.socket(fileno=int(sys.argv[4])), {said!r}
sock.sendall(struct.pack("!Ic", 0, b"R"))
os.ftruncate(int(sys.argv[5]), 0) if sock.recv(4096) else None
sock.sendall(struct.pack("!I", len(said) - 1) + said)
sock.recv(1)
""")
    liar.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(liar))
    decoder = Decoder()
    try:
        with pytest.raises(DamagedImage):
            decoder.decode(CONTENT)
        assert not decoder._idle
    finally:
        decoder.close()
