"""Photos and addresses."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.analyze.conftest import rows_of
from tests.cli.conftest import Run
from tests.cli.played import Played


def test_a_photo_is_tables(run: Run, service: Played, jpeg: Path) -> None:
    result = run("analyze", str(jpeg), "--annotate", "--location", "--encoding", "cp1252", "--tasks", "info,objects")
    assert result.exit_code == 0
    wanted = {"tasks": "info,objects", "annotate": "true", "location": "true", "media_type": ""}
    assert service.sent == [wanted], "the encoding is for texts"
    lines = result.stdout.splitlines()
    assert lines[lines.index("labels") + 1 : lines.index("objects")] == [
        "  sure  yes",
        "  confidence  label",
        "  0.9512      espresso",
        "",
    ]
    assert "  sharpness  0.72   sharp" in lines
    assert "  312.4, 101.9, 640, 455.2  0.61        cup" in lines
    (thumbnail,) = (line for line in lines if line.startswith("thumbnail"))
    assert thumbnail.endswith("/files/1?expires=2&signature=3")
    assert "http://127.0.0.1:" in thumbnail


def test_photos_are_rows(run: Run, service: Played, jpeg: Path, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    result = run("analyze", str(jpeg), str(jpeg), "--csv", str(table))
    assert result.stderr == "2 files: 2 analysed, 0 failed.\n"
    first, _ = rows_of(table)
    assert (first["kind"], first["info.width"], first["quality.noise.word"]) == ("image", "1280", "clean")
    assert json.loads(first["objects.items"])[0]["label"] == "cup"
    assert first["thumbnail"].startswith("http://127.0.0.1:")


def test_an_address_is_sent_as_one(run: Run, service: Played) -> None:
    assert run("analyze", "https://example.com/cup.jpg", "--exhaustive").exit_code == 0
    assert service.sent == [{"url": "https://example.com/cup.jpg", "exhaustive": True}]
