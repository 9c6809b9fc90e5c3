"""Data folders for servers of the tests' own: to kill, freeze and damage."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.database.serving import ask
from thetool.database.embedded import EmbeddedServer

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose server has been made and stopped, to copy: making one takes half a second."""
    home = tmp_path_factory.mktemp("made") / "home"
    server = EmbeddedServer(home)
    server.start(20)
    assert server.stop()
    return home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home without anything; whatever runs in it at the end of the test is killed."""
    folder = tmp_path / "home"
    yield folder
    kill_servers_of(folder)


@pytest.fixture
def used_home(made_home: Path, home: Path) -> Path:
    """A home with a database, whose server does not run."""
    subprocess.run(["cp", "-a", made_home, home], check=True)
    return home


@pytest.fixture
def server(used_home: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(used_home)
    server.start(20)
    yield server
    server.stop()


@pytest.fixture
def server_with_a_row(server: EmbeddedServer) -> EmbeddedServer:
    ask(server, "create table kept (value text)")
    ask(server, "insert into kept values ('a row')")
    return server


def kill_servers_of(home: Path) -> None:
    """Kill every process at work below the folder."""
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] in {"postgres", "initdb"} and str(process.info["cwd"] or "").startswith(f"{home}/"):
            process.kill()


def script(body: str, *arguments: object, python: str = sys.executable, **options: Any) -> subprocess.Popen[str]:
    """Start a Python program in the repository; `sys.argv[1:]` are the arguments."""
    command = [python, "-c", textwrap.dedent(body), *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )
