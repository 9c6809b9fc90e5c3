"""Commands run as a person runs them, against a service that answers over real HTTP."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from werkzeug.serving import make_server

from tests.cli.played import Played
from tests.conftest import MASTER_KEY
from thetool.cli.main import thetool

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _silent_service() -> Iterator[None]:
    """The service is in this very process: its log lines are no part of what a command says."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application behind a real port; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command line with an empty home."""
    monkeypatch.setenv("THETOOL_HOME", str(tmp_path / "home"))

    def run(*arguments: str, **options: Any) -> Result:
        result = CliRunner().invoke(thetool, arguments, **options)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def at_service(run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Points the commands at a service, with its master key."""

    def point(url: str) -> None:
        monkeypatch.setenv("THETOOL_URL", url)
        monkeypatch.setenv("THETOOL_API_KEY", MASTER_KEY)

    return point


@pytest.fixture
def service(at_service: Callable[[str], None]) -> Iterator[Played]:
    played = Played()
    with served(played.app) as url:
        at_service(url)
        yield played
