"""The programs of docs/vision.md run, and do what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import thetool
from thetool.config import Settings

PAGE = (Path(__file__).parents[2] / "docs/vision.md").read_text()
CAT = Path(thetool.__file__).parent / "pages" / "static" / "photos" / "cat.jpg"


def test_programs(
    weights_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("thetool.config.load_settings", lambda: Settings(WEIGHTS_DIR=weights_dir))
    Path("photo.jpg").write_bytes(CAT.read_bytes())
    names: dict[str, Any] = {}
    programs = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(programs) == 4
    for program in programs:
        exec(compile(program, "docs/vision.md", "exec"), names)
    said = capsys.readouterr().out
    assert "cat 0." in said
    assert '"format": "JPEG"' in said
    assert "Sharpness" not in said
    assert "word='sharp'" in said or "word='soft'" in said
    assert "#c81e1e" in said
    with Image.open("small.jpg") as small, Image.open("boxes.jpg") as boxes, Image.open("photo.jpg") as photo:
        assert max(small.size) <= 320
        assert boxes.size == photo.size


def test_formats_and_problems_are_those_of_the_code() -> None:
    from thetool.vision.formats import MEDIA_TYPES
    from thetool.vision.problems import DamagedImage, DecoderUnavailable, DecodingTimedOut, ImageTooLarge

    assert all(name in PAGE for name in MEDIA_TYPES)
    for problem in (DamagedImage, ImageTooLarge, DecodingTimedOut, DecoderUnavailable):
        assert f"`{problem.__name__}` ({problem.status})" in PAGE
