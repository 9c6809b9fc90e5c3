"""Photos through POST /analyze, from one end to the other."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from tests.analyze.house import House
from tests.analyze.test_analyze import ok


def jpeg(width: int = 640, height: int = 480, colour: tuple[int, int, int] = (200, 30, 30), **options: Any) -> bytes:
    """A photo of one colour, with a darker square in it."""
    image = Image.new("RGB", (width, height), colour)
    image.paste((20, 20, 60), (width // 4, height // 4, width // 2, height // 2))
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def test_a_photo_gets_a_whole_answer(house: House) -> None:
    answer = house.analyze(data=jpeg(), headers={"Content-Type": "image/jpeg"})
    body = ok(answer)
    assert (body["kind"], body["skipped"], body["notes"]) == ("image", [], [])
    assert list(body["result"]) == ["info", "labels", "objects", "palette", "quality"]
    assert (body["result"]["info"]["width"], body["result"]["info"]["height"]) == (640, 480)
    assert {model["name"] for model in body["models"]} == {"efficientnet-lite0", "nanodet-g"}
