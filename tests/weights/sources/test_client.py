"""Clients that are started: counted, given up, killed."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.service import until
from thetool.weights.sources import client
from thetool.weights.sources.client import ClientError

SLEEPS = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]


def still_asleep() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.cmdline() == SLEEPS]


def run(folder: Path, *command: str, downloaded: object = lambda _: None) -> None:
    client.run(command, folder, {}, downloaded)  # type: ignore[arg-type]


def test_what_it_says_when_it_fails(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="no such package") as caught:
        run(tmp_path, "sh", "-c", "echo no such package; exit 3")
    assert caught.value.log == "no such package\n"


def test_it_has_the_machines_settings_and_none_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MASTER_API_KEY", "database_url", "R2_SECRET_ACCESS_KEY", "HTTPS_PROXY", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "x")
    with pytest.raises(ClientError) as caught:
        run(tmp_path, "sh", "-c", "env; exit 1")
    seen = {line.partition("=")[0] for line in caught.value.log.splitlines()}
    assert {"PATH", "HTTPS_PROXY", "PIP_INDEX_URL"} <= seen
    assert not seen & {"MASTER_API_KEY", "database_url", "R2_SECRET_ACCESS_KEY"}


def test_one_that_is_silent_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SILENCE_SECONDS", 0.3)
    with pytest.raises(ClientError, match="nothing came"):
        run(tmp_path, *SLEEPS)
    assert not still_asleep()


def test_what_it_started_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SILENCE_SECONDS", 0.3)
    with pytest.raises(ClientError, match="nothing came"):
        run(tmp_path, "sh", "-c", "sleep 600 & echo $! > started; wait")
    started = int((tmp_path / "started").read_text())
    until(lambda: not is_running(started), "what was killed is gone")


def is_running(pid: int) -> bool:
    """Whether it is there, and not only waits to be reaped by whoever does that here."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_its_bytes_are_counted_as_they_come(tmp_path: Path) -> None:
    seen: list[int] = []
    run(tmp_path, "sh", "-c", "for i in 1 2 3 4; do printf 12345 >> part; sleep 0.3; done", downloaded=seen.append)
    assert seen == sorted(seen)
    assert len(set(seen)) > 1


def test_a_caller_that_raises_kills_it(tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise RuntimeError("cancelled")

    with pytest.raises(RuntimeError, match="cancelled"):
        run(tmp_path, *SLEEPS, downloaded=stop)
    assert not still_asleep()
