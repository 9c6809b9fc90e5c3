"""Which service the commands use, with which key, and what they say when it is not there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from thetool.access.local_key import local_key
from thetool.cli.problems import printable
from thetool.cli.service import DEFAULT_URL, find_service


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("THETOOL_HOME", str(tmp_path))
    for name in ("THETOOL_URL", "THETOOL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_address_and_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (find_service(None).url, find_service(None).key) == (DEFAULT_URL, None)
    assert list(home.iterdir()) == [], "asking must not make a key"
    (home / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:4321", "pid": 1}))
    key = local_key(home)
    assert (find_service(None).url, find_service(None).key) == ("http://127.0.0.1:4321", key)
    monkeypatch.setenv("MASTER_API_KEY", "set")
    assert find_service(None).key == "set"
    monkeypatch.setenv("THETOOL_API_KEY", "tt_mine")
    assert find_service(None).key == "tt_mine"
    monkeypatch.setenv("THETOOL_URL", "https://tool.example.com/")
    assert find_service(None).url == "https://tool.example.com"
    assert find_service("http://127.0.0.1:1").url == "http://127.0.0.1:1"


@pytest.mark.parametrize("url", ["http://example.com", "http://10.0.0.1:8000", "http://127.0.0.1.example.com"])
def test_the_master_key_stays_on_this_machine(home: Path, url: str) -> None:
    local_key(home)
    assert find_service(url).key is None
    assert find_service("http://[::1]:8000").key is not None
    assert find_service("http://localhost:8000").key is not None


def test_the_key_is_not_shown(home: Path) -> None:
    assert local_key(home) not in repr(find_service(None))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', "null"])
def test_unreadable_server_json(home: Path, content: str) -> None:
    (home / "server.json").write_text(content)
    assert find_service(None).url == DEFAULT_URL


def test_unreachable(run: Run) -> None:
    result = run("jobs", "list", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1
    assert "cannot connect)" in result.stderr
    assert "thetool serve" in result.stderr


@pytest.mark.parametrize("url", ["ftp://example.com", "localhost:8000", "nonsense"])
def test_no_address(run: Run, url: str) -> None:
    result = run("jobs", "list", "--url", url)
    assert result.exit_code == 2
    assert "--url" in result.stderr


@pytest.fixture(params=[(200, b"<html>"), (404, b"<html>"), (302, b""), (200, b'"text"')], ids=str)
def something_else(request: pytest.FixtureRequest) -> Iterator[str]:
    status, body = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_something_else_answers(run: Run, something_else: str) -> None:
    result = run("jobs", "list", "--url", something_else)
    assert result.exit_code == 3
    assert "something else" in result.stderr


def test_wrong_setting_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    result = run("weights", "where")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: PORT: ")
    assert result.stderr.count("\n") == 1


def test_nothing_steers_the_terminal() -> None:
    assert printable("\x1b[2Jfine\x07\u202e\n") == "�[2Jfine��\n"


def test_light() -> None:
    heavy = {"pydantic", "flask", "sqlalchemy", "rich", "urllib3", "numpy", "gunicorn"}
    code = "import sys, thetool.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert heavy.isdisjoint(loaded)


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "thetool.cli", *arguments], capture_output=True, text=True, timeout=60)


def test_exit_statuses_of_a_process() -> None:
    version = process("--version")
    assert (version.returncode, version.stdout.split()[0]) == (0, "thetool,")
    assert process("--help").returncode == 0
    wrong = process("nonsense")
    assert (wrong.returncode, "Usage:" in wrong.stderr) == (2, True)
    unreachable = process("jobs", "list", "--url", "http://127.0.0.1:1")
    assert (unreachable.returncode, unreachable.stderr.startswith("Error: No service answers")) == (3, True)
