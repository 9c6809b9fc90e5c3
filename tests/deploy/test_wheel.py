"""An installation from a wheel, with no checkout beside it, has all that the service needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from a copy: a build writes into its folder."""
    copy = tmp_path_factory.mktemp("copy") / "project"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "tests", "docs")
    shutil.copytree(ROOT, copy, ignore=ignored)
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, copy]
    subprocess.run(command, check=True, timeout=600)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.mark.slow
def test_a_wheel_holds_what_the_checkout_holds(wheel: Path) -> None:
    package = {path for path in (ROOT / "thetool").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    migrations = list((ROOT / "migrations").rglob("*.py"))
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert {str(path.relative_to(ROOT)) for path in package} <= held
    assert {f"thetool/{path.relative_to(ROOT)}" for path in migrations} <= held
    assert any(name.endswith("licenses/LICENSE") for name in held)
    assert {name.partition("/")[0] for name in held if "dist-info" not in name} == {"thetool"}


@pytest.mark.slow
def test_a_database_is_migrated_from_a_wheel(wheel: Path, empty_database: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    done = subprocess.run(
        [sys.executable, "-m", "thetool.cli", "migrate"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(site),
            "DATABASE_URL": empty_database,
            "HOME": str(tmp_path),
        },
    )
    assert done.returncode == 0, done.stderr
    where = [sys.executable, "-c", "from thetool.database import schema; print(schema.MIGRATIONS)"]
    found = subprocess.run(where, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(site)})
    assert found.stdout.strip() == str(site / "thetool" / "migrations")
