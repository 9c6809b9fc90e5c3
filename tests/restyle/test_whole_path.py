"""From a photo to its pictures, with tiny random models: what they paint is noise, all around it is real."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from tests.analyze.house import House
from tests.restyle.rooms import as_file, finished, opened, restyled, room, submit
from thetool.restyle.engine import engine_of
from thetool.restyle.picture_file import metadata_in
from thetool.vision.masks import MaskModel, Masks, box_masks
from thetool.vision.nanodet import NanoDet
from thetool.vision.objects import Detections

pytestmark = pytest.mark.torch
QUICK = {"quality": "fast", "steps": "2", "seed": "7"}


def test_a_photo_becomes_pictures_maps_and_a_record_of_how(restyler: House, photo: bytes) -> None:
    answer = submit(restyler, photo, style="scandinavian", **QUICK)
    assert answer.status_code == 200, answer.json
    told = answer.json
    assert told["success"] is True
    assert told["websocket_url"].startswith("ws://")
    assert told["status_url"].endswith(f"/transform/status/{told['job_id']}")
    data = finished(restyler, told["job_id"])
    assert (data["progress"], data["message"], data["style"]) == (1.0, "Your new room is ready!", "scandinavian")
    assert data["request"] == {"style": "scandinavian", "quality": "fast", "steps": 2, "seed": 7}
    result = data["result"]
    picture = opened(restyler, result["transformed_url"])
    metadata = result["metadata"]
    assert picture.format == "JPEG"
    assert list(picture.size) == metadata["size"]
    assert abs(picture.width / picture.height - 200 / 150) < 0.01, "the photo's proportions"
    assert all(side % 64 == 0 for side in metadata["painted_size"])
    assert opened(restyler, result["original_url"]).size == (200, 150)
    before = opened(restyler, result["before_url"])
    assert (before.format, before.size) == ("JPEG", picture.size), "what it is compared with"
    assert result["transformed_url"].startswith("http://"), "whole, as `status_url` is"
    assert max(opened(restyler, result["thumbnail_url"]).size) <= 480
    depth, edges = (opened(restyler, result["control_urls"][name]) for name in ("depth", "edges"))
    assert depth.mode == edges.mode == "L", "grey, as the ControlNets were trained with"
    assert list(depth.size) == list(edges.size) == metadata["painted_size"]
    assert set(np.unique(np.asarray(edges))) == {0, 255}
    assert (metadata["seed"], metadata["steps"]) == (7, 2)
    assert {model["name"] for model in metadata["models"]} >= {"base", "depth", "masks", "depth-control"}
    assert metadata["gpu_seconds"] > 0
    assert metadata["cost"] == pytest.approx(metadata["gpu_seconds"] / 1000, abs=1e-5)
    assert {"reading", "objects", "depth", "edges", "painting", "checking"} <= metadata["timings"].keys()
    assert set(metadata["quality"]) == {"structure", "style", "sharpness", "passed", "retried"}
    assert metadata["quality"]["retried"] is False, "the caller chose the seed"


def test_the_file_says_itself_how_it_was_made(restyler: House, photo: bytes) -> None:
    result = restyled(restyler, photo, prompt="a café", **QUICK)["result"]
    content = restyler.client.get(result["transformed_url"]).data
    inside = json.loads(metadata_in(content) or "{}")
    assert (inside["seed"], inside["style"]) == (7, "modern")
    assert inside.keys() == result["metadata"].keys()
    assert inside["cost"] == result["metadata"]["cost"]
    assert "a café" in inside["prompt"]
    assert inside["models"] == result["metadata"]["models"]
    assert b"compositeWithTrainedAlgorithmicMedia" in content


def test_the_same_seed_paints_the_same_and_another_one_another(restyler: House, photo: bytes) -> None:
    fields = {**QUICK, "variations": "2"}
    first, again = (restyled(restyler, photo, **fields)["result"] for _ in range(2))
    assert [variation["seed"] for variation in first["variations"]] == [7, 8]
    pictures = [
        [np.asarray(opened(restyler, one["transformed_url"])) for one in result["variations"]]
        for result in (first, again)
    ]
    assert (pictures[0][0] == pictures[1][0]).all()
    assert (pictures[0][1] == pictures[1][1]).all()
    assert (pictures[0][0] != pictures[0][1]).any()
    alone = restyled(restyler, photo, **{**QUICK, "seed": "8"})["result"]
    difference = np.asarray(opened(restyler, alone["transformed_url"])).astype(int) - pictures[0][1]
    assert np.abs(difference).mean() < 0.1, "what it shared a batch with matters by rounding only"


def test_without_a_seed_noise_is_tried_once_more(restyler: House, photo: bytes) -> None:
    """The tiny models paint noise, which has none of the photo's structure."""
    easel = engine_of(restyler.settings).easel
    easel.batches = []
    metadata = restyled(restyler, photo, quality="fast", steps="2", variations="2")["result"]["metadata"]
    assert (metadata["quality"]["passed"], metadata["quality"]["retried"]) == (False, True)
    assert easel.batches == [2, 2]


def test_what_is_removed_is_painted_once_and_from_a_room_without_it(
    restyler: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sofa of our drawing is pointed at, as the light detector sees none in it."""
    couch = Detections(np.array([[100, 75, 175, 125]], np.float32), np.array([0.9], np.float32), np.array([57]))
    monkeypatch.setattr(NanoDet, "detect", lambda self, pixels, threshold: couch)
    monkeypatch.setattr(MaskModel, "find", lambda self, pixels, boxes: Masks(box_masks(boxes, 150, 200), np.ones(1)))
    easel = engine_of(restyler.settings).easel
    easel.batches = []
    result = restyled(restyler, as_file(room(200, 150)), remove="couch", quality="fast", steps="2")["result"]
    quality = result["metadata"]["quality"]
    assert (quality["structure"]["value"], quality["style"]["value"]) == (None, None)
    assert (quality["retried"], easel.batches) == (not quality["sharpness"]["passed"], [1, 1][: 1 + quality["retried"]])
    edges, depth = (np.asarray(opened(restyler, result["control_urls"][name])) for name in ("edges", "depth"))
    high, wide = edges.shape
    inside = slice(round(high * 0.52), round(high * 0.81)), slice(round(wide * 0.52), round(wide * 0.86))
    assert not edges[inside].any()
    assert edges.any()
    assert depth.shape == edges.shape


def test_outside_of_the_mask_no_pixel_is_touched(restyler: House) -> None:
    original = room(256, 192)
    mask = Image.new("L", original.size, 0)
    mask.paste(255, (128, 0, 256, 192))
    result = restyled(restyler, as_file(original), mask=as_file(mask), **QUICK)["result"]
    size = tuple(result["metadata"]["size"])
    before = np.asarray(original.resize(size, Image.Resampling.LANCZOS)).astype(int)
    picture = opened(restyler, result["transformed_url"])
    assert picture.format == "PNG", "a JPEG changes every pixel"
    after = np.asarray(picture).astype(int)
    assert (after == before)[:, : size[0] // 2 - 1].all()
    content = restyler.client.get(result["transformed_url"]).data
    assert json.loads(metadata_in(content) or "{}")["seed"] == 7
    assert b"compositeWithTrainedAlgorithmicMedia" in content
    assert np.abs(after - before)[:, size[0] // 2 + 24 :].mean() > 20
    assert opened(restyler, result["control_urls"]["mask"]).size == (256, 192)


def test_a_photo_on_its_side_stands_up(restyler: House) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = as_file(room(240, 160), "JPEG", exif=exif.tobytes())
    width, height = restyled(restyler, content, **QUICK)["result"]["metadata"]["size"]
    assert height > width


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_grey_transparent_and_indexed_photos(mode: str, restyler: House) -> None:
    image = room(160, 120).convert(mode)
    if mode == "RGBA":
        image.putalpha(100)
    assert restyled(restyler, as_file(image), **QUICK)["result"]["transformed_url"]


def test_a_very_wide_photo_is_made_smaller(restyler: House) -> None:
    file = io.BytesIO()
    room(12_000, 4_500).save(file, "JPEG", quality=60)
    assert restyled(restyler, file.getvalue(), **QUICK)["result"]["metadata"]["size"][0] < 1_000
