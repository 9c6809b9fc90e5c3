"""Photos and addresses."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.analyze.conftest import rows_of
from tests.cli.conftest import Run
from tests.cli.played import Played
from thetool.cli.findings import flat


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
    wanted = {
        "label": "espresso",
        "label_sure": "True",
        "objects": "cup",
        "objects_count": "1",
        "text": "",
        "colours": "#8c5a2b 41 %",
        "sharpness": "0.72",
        "noise_word": "clean",
        "width": "1280",
        "camera": "X100",
    }
    assert {name: first[name] for name in wanted} == wanted
    assert first["thumbnail"].startswith("http://127.0.0.1:")
    assert not [cell for cell in first.values() if cell.startswith(("{", "["))]


def test_the_columns_are_always_the_same() -> None:
    """Whatever was asked for, found or skipped."""
    bus, person = ({"label": label, "confidence": 0.5, "box": [0, 0, 1, 1]} for label in ("bus", "person"))
    result = {
        "objects": {"items": [person, bus, person, person]},
        "text": {"lines": [{"text": "=1"}, {"text": "two"}]},
        "labels": {"items": [], "sure": False},
    }
    full, empty = flat({"kind": "image", "result": result}), flat({"kind": "image", "result": {}, "cached": True})
    assert list(full) == list(empty)
    assert list(full)[2:8] == ["label", "label_confidence", "label_sure", "objects", "objects_count", "text"]
    assert (full["objects"], full["objects_count"], full["text"]) == ("person ×3; bus", 4, "'=1 / two")
    assert empty["objects_count"] is None


def test_pictures_are_saved(run: Run, service: Played, jpeg: Path, tmp_path: Path) -> None:
    folder, table = tmp_path / "new" / "pictures", tmp_path / "out.csv"
    again = jpeg.parent / "again" / jpeg.name
    again.parent.mkdir()
    again.write_bytes(jpeg.read_bytes())
    paths = (str(jpeg), str(again), "--annotate-to", str(folder), "--csv", str(table))
    assert run("analyze", *paths).exit_code == 0
    places = [folder / "cup.annotated.jpg", folder / "cup-2.annotated.jpg"]
    assert [place.read_bytes() for place in places] == [b"a picture"] * 2
    assert [row["annotated"] for row in rows_of(table)] == [str(place) for place in places]
    refused = run("analyze", str(jpeg), "--annotate-to", str(folder))
    assert refused.stderr == f"Error: {places[0]} is there already. To write over it: --force\n"
    assert len(service.sent) == 2, "nothing was sent"
    told = run("analyze", str(jpeg), "--annotate-to", str(folder), "--force", "--json")
    assert json.loads(told.stdout)["annotated_file"] == str(places[0])


def test_an_address_is_sent_as_one(run: Run, service: Played) -> None:
    assert run("analyze", "https://example.com/cup.jpg", "--exhaustive").exit_code == 0
    assert service.sent == [{"url": "https://example.com/cup.jpg", "exhaustive": True}]
