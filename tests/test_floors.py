"""A room imports only from the floors below it, and importing the package stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "thetool"

FLOORS = [
    {"settings"},
    {"config"},
    {"telemetry"},
    {"database"},
    {"web"},
    {"access"},
    {"storage"},
    {"jobs"},
    {"gpu", "weights"},
    {"vision", "text"},
    {"restyle", "tables", "serving", "labelling"},
    {"analyze", "batch"},
    {"pages"},
    {"app"},
    {"worker", "callers", "master", "start", "serve", "gunicorn_conf", "cli"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# The top floor is the outside of the house: how a process starts. Its rooms may use one another.
TOP = len(FLOORS) - 1


def rooms_imported(file: Path) -> set[str]:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: imports are absolute"
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "thetool" else [node.module]
            )
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        imported |= {name.split(".")[1] for name in names if name.startswith("thetool.")}
    return imported


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_only_from_floors_below(file: Path) -> None:
    room = room_of(file)
    if room == "__init__":
        return
    assert room in FLOOR_OF, f"give the new room {room!r} a floor"
    for imported in rooms_imported(file) - {room, "__version__"}:
        higher = FLOOR_OF[imported] >= FLOOR_OF[room]
        assert not higher or FLOOR_OF[room] == TOP == FLOOR_OF[imported], f"{room} must not import {imported}"


HEAVY = {
    "torch",
    "diffusers",
    "ultralytics",
    "pandas",
    "polars",
    "talib",
    "fastexcel",
    "cv2",
    "numpy",
    "onnxruntime",
    "boto3",
    "eldc",
    "vader",
}


@pytest.mark.parametrize("module", ["thetool", "thetool.app", "thetool.cli", "wsgi"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent, env={"PATH": ""}
    )
    assert not HEAVY & set(done.stdout.split())
