"""Files to analyze, and the table that is written of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A folder of three files, one of them empty, and one that is left out."""
    folder = tmp_path / "three"
    (folder / "sub").mkdir(parents=True)
    for name, text in (("a.txt", "one"), ("empty.ts", " "), ("sub/ü.txt", "three"), (".hidden", "no")):
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    file = tmp_path / "cup.jpg"
    file.write_bytes(b"\xff\xd8\xff\xe0 and so on")
    return file
