"""What is loaded before the first text comes, and what is not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from thetool.analyze import warming

LOADED = """
import sys
from thetool.analyze.warming import warm_later
light = ("eldc", "py3langid", "vader")
assert not any(name in sys.modules for name in light)
warm_later().join()
print(*(name for name in (*light, "onnxruntime", "numpy") if name in sys.modules))
"""


def test_the_cheap_models_are_loaded_and_the_dear_one_is_not() -> None:
    told = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "vader" in told
    assert "onnxruntime" not in told


def test_what_cannot_be_loaded_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from thetool.text import language as room

    def broken(text: str) -> None:
        raise OSError("no such file")

    monkeypatch.setattr(room, "language", broken)
    warming.warm()
