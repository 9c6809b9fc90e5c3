"""A service that refuses: for a while, for good, or by hanging up."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from tests.cli.analyze.conftest import rows_of
from tests.cli.conftest import Run
from tests.cli.played import Played
from thetool.cli import patience


def test_waits_as_long_as_the_service_asks(run: Run, service: Played, three: Path, tmp_path: Path) -> None:
    service.refusals = [(429, {"Retry-After": "0"}), (503, {"Retry-After": "0"}), (429, {"Retry-After": "0"})]
    result = run("analyze", str(three / "a.txt"), str(three / "sub"), "--csv", str(tmp_path / "out.csv"))
    assert result.exit_code == 0
    assert [row["status"] for row in rows_of(tmp_path / "out.csv")] == ["completed", "completed"]
    told = "Too many requests: waiting 0 s, as the service asks, then going on."
    assert result.stderr.splitlines() == [told, "2 files: 2 analysed, 0 failed."], "told once, not at each"
    assert len(service.keys) == 5
    assert len(set(service.keys)) == 2, "each is repeated under its own key"


@pytest.mark.parametrize("after", ["1", "3600"])
def test_gives_up(run: Run, service: Played, three: Path, monkeypatch: pytest.MonkeyPatch, after: str) -> None:
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.5 if after == "1" else 300)
    service.refusals = [(429, {"Retry-After": after})]
    result = run("analyze", str(three / "a.txt"))
    assert result.exit_code == 1
    assert result.stderr == "Error: Too many requests. (HTTP 429)\n"


def test_a_wrong_key_is_told_once(run: Run, service: Played, three: Path, tmp_path: Path) -> None:
    service.refusals = [(401, {})] * 3
    result = run("analyze", str(three), "--csv", str(tmp_path / "out.csv"))
    assert result.exit_code == 1
    told = f"{three}/a.txt: Error: Invalid key. (HTTP 401)"
    assert result.stderr.splitlines() == [told, "3 files: 0 analysed, 1 failed, 2 not sent."]
    assert [row["status"] for row in rows_of(tmp_path / "out.csv")] == ["failed"]


def test_a_service_that_hangs_up_is_there(run: Run, three: Path) -> None:
    asked = 0

    def hang_up() -> None:
        nonlocal asked
        while True:
            connection, _ = listener.accept()
            with connection:
                if not connection.recv(65_536):
                    return
                asked += 1

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        result = run("analyze", "--text", "fine", "--url", url)
        with socket.create_connection(listener.getsockname()):
            pass
        thread.join(10)
    assert result.exit_code == 3
    assert "did not answer to the end" in result.stderr
    assert "scripts/run" not in result.stderr
    assert asked == 2, "a kept connection may just have been closed: it is asked once more"
