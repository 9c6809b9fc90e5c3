"""Photos through POST /analyze, from one end to the other."""

from __future__ import annotations

import io
import os
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont
from werkzeug.test import TestResponse

from tests.analyze.house import House, refused
from tests.analyze.test_analyze import ok
from thetool.analyze import at_hand
from thetool.analyze.tasks import names_for

USUAL = ["info", "labels", "objects", "palette", "quality"]
QUICK = "info,palette"


def picture(number: int, width: int = 320, height: int = 240) -> Image.Image:
    """A picture that no other number gives: one colour, with a darker rectangle in it."""
    image = Image.new("RGB", (width, height), (200, number % 200, 30))
    image.paste((20, 20, 60), (width // 4, height // 4, width // 2, height // 2))
    return image


def saved(image: Image.Image, file_format: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def send(house: House, content: bytes, media_type: str = "image/jpeg", **query: Any) -> TestResponse:
    return house.analyze(data=content, headers={"Content-Type": media_type}, query=query)


def opened(house: House, link: str) -> Image.Image:
    """The picture behind a link, which needs no key."""
    answer = house.client.get(link)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    return Image.open(io.BytesIO(answer.data))


def test_a_photo_gets_a_whole_answer(house: House) -> None:
    answer = send(house, saved(picture(1, 1280, 720)))
    body = ok(answer)
    assert list(body) == [
        "id", "kind", "status", "result", "models", "skipped", "notes", "cached", "elapsed_ms", "correlation_id",
        "thumbnail", "annotated", "created_at",
    ]  # fmt: skip
    assert (body["kind"], body["skipped"], body["notes"], body["annotated"]) == ("image", [], [], None)
    assert list(body["result"]) == USUAL
    assert (body["result"]["info"]["width"], body["result"]["info"]["height"]) == (1280, 720)
    assert {model["name"] for model in body["models"]} == {"efficientnet-lite0", "nanodet-g"}
    assert opened(house, body["thumbnail"]).size == (320, 180)
    assert answer.headers["X-Cache"] == "MISS"
    job = house.get(f"/api/v1/jobs/{body['id']}").json
    assert (job["kind"], job["status"], job["title"]) == ("analyze.photo", "completed", "JPEG image")
    assert ok(house.get(f"/api/v1/analyses/{body['id']}")) == body


FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WebP": "image/webp", "GIF": "image/gif", "BMP": "image/bmp"}


@pytest.mark.parametrize("file_format", [*FORMATS, "TIFF"])
def test_formats_are_judged_by_their_content(house: House, file_format: str) -> None:
    content = saved(picture(3), file_format.upper())
    for media_type in ("image/x-unheard-of", "application/octet-stream", ""):
        body = ok(send(house, content, media_type, tasks=QUICK))
        assert body["result"]["info"]["format"] == file_format


def test_a_photo_may_be_a_file_of_a_form(house: House) -> None:
    form = {"file": (io.BytesIO(saved(picture(4))), "holiday.png"), "tasks": "palette,info"}
    body = ok(house.analyze(data=form))
    assert list(body["result"]) == ["info", "palette"]
    assert house.get(f"/api/v1/jobs/{body['id']}").json["title"] == "holiday.png"


def with_location(image: Image.Image) -> bytes:
    """The picture as a camera stores it that was held upright, at 48.5° N, 2.25° E."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90°
    exif[0x8825] = {1: "N", 2: (48.0, 30.0, 0.0), 3: "E", 4: (2.0, 15.0, 0.0)}
    return saved(image, exif=exif)


def test_where_it_was_taken_is_told_only_when_asked(house: House) -> None:
    content = with_location(picture(5, 320, 240))
    quiet = ok(send(house, content, tasks=QUICK))
    info = quiet["result"]["info"]
    assert (info["width"], info["height"], info["orientation_applied"]) == (240, 320, True)
    assert info["location"] is None
    assert "48" not in str(info["exif"])
    assert opened(house, quiet["thumbnail"]).size == (240, 320)
    assert not opened(house, quiet["thumbnail"]).getexif()
    told = ok(send(house, content, tasks=QUICK, location="true"))
    assert (told["result"]["info"]["location"]["latitude"], told["cached"]) == (48.5, False)


def test_what_was_found_is_drawn_on_request(house: House) -> None:
    content = saved(picture(6))
    body = ok(send(house, content, annotate="true"))
    assert opened(house, body["annotated"]).size == (320, 240)
    assert ok(send(house, content, annotate="true"))["annotated"] == body["annotated"]
    nothing = ok(send(house, content, tasks="palette", annotate="true"))
    assert [note["task"] for note in nothing["notes"]] == ["annotate"]


def test_text_is_read_only_by_name(house: House) -> None:
    image = Image.new("RGB", (600, 120), "white")
    ImageDraw.Draw(image).text((20, 30), "Late delivery", fill="black", font=ImageFont.load_default(48))
    body = ok(send(house, saved(image, "PNG"), "image/png", tasks="text", annotate="true", wait="120"))
    assert body["result"]["text"]["text"] == "Late delivery"
    assert [model["name"] for model in body["models"]] == ["pp-ocrv6-small"]
    left, top, right, bottom = body["result"]["text"]["lines"][0]["box"]
    assert 0 < left < 60 < 200 < right < 600
    assert 0 < top < 60 < bottom < 120
    drawn = opened(house, body["annotated"])
    assert drawn.getpixel((int(left), int((top + bottom) / 2))) != (255, 255, 255)


def test_the_same_photo_again_comes_from_the_cache(house: House) -> None:
    content = saved(picture(7))
    first = ok(send(house, content, tasks=QUICK))
    again = send(house, content, "application/octet-stream", tasks="palette,info")
    assert ok(again) == {**first, "cached": True}
    assert again.headers["X-Cache"] == "HIT"
    assert not ok(send(house, content, tasks="info"))["cached"]
    assert not ok(send(house, content, tasks=QUICK, annotate="true"))["cached"]
    without_info = ok(send(house, content, tasks="palette"))
    assert ok(send(house, content, tasks="palette", location="true"))["id"] == without_info["id"]


def test_another_process_reads_the_photo_from_storage(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_hand, "find", lambda stored: None)
    content = saved(Image.effect_noise((1280, 1024), 120), "PNG")
    assert len(content) > 1 << 20
    assert ok(send(house, content, "image/png", tasks=QUICK))["result"]["info"]["bytes"] == len(content)


def test_what_nobody_holds_is_not_at_hand() -> None:
    from uuid import uuid4

    from thetool.analyze.content import Image as Content

    stored, content = uuid4(), Content(b"bytes")
    at_hand.keep(stored, content)
    assert at_hand.find(stored) == b"bytes"
    del content
    assert at_hand.find(stored) is None


def test_not_waiting_gives_the_job(house: House) -> None:
    answer = send(house, saved(picture(9)), tasks=QUICK, wait="0")
    assert (answer.status_code, answer.json["kind"]) == (202, "image")
    done = ok(house.get(f"{answer.json['links']['result']}?wait=60"))
    assert (done["id"], done["kind"]) == (answer.json["id"], "image")


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is so large; all of it is one colour."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))

    header = struct.pack("!IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


BAD = {
    "cut off": (saved(picture(10))[:700], 422, "damaged_image"),
    "corrupt": (saved(picture(11), "PNG")[:40] + os.urandom(400), 422, "damaged_image"),
    "a signature alone": (b"\x89PNG\r\n\x1a\n" + bytes(64), 422, "damaged_image"),
    "20,000 x 20,000": (bomb(20_000, 20_000), 422, "image_too_large"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", 415, "unsupported_media_type"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>', 415, "unsupported_media_type"),
    "an AVIF": (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", 415, "unsupported_media_type"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_images_get_a_clear_problem(house: House, case: str) -> None:
    content, status, code = BAD[case]
    problem = refused(send(house, content, "image/png"), status, code)
    if status == 422:
        job = house.get(f"/api/v1/jobs/{problem['job_id']}").json
        assert (job["status"], job["error"]["code"], job["attempts"]) == ("failed", code, 1)
        assert problem["title"] != "The analysis failed"
        assert problem["detail"].endswith("."), "it says what to do next"


def test_one_pixel_is_an_image(house: House) -> None:
    body = ok(send(house, saved(picture(12, 1, 1), "PNG"), "image/png"))
    assert list(body["result"]) == USUAL
    assert opened(house, body["thumbnail"]).size == (1, 1)


def test_a_photo_that_is_also_an_archive_is_a_photo(house: House) -> None:
    """Whoever opens what we serve gets a picture of our own making, and nothing that came with it."""
    secret = b"PK\x03\x04<script>alert(1)</script>"
    body = ok(send(house, saved(picture(13), comment=secret) + secret, tasks=QUICK, annotate="true"))
    for link in (body["thumbnail"], body["annotated"]):
        assert b"script" not in house.client.get(link).data


def test_tasks_of_the_other_kind(house: House) -> None:
    problem = refused(send(house, saved(picture(14)), tasks="sentiment"), 422, "validation_error")
    assert "no task 'sentiment' for an image" in problem["detail"]
    assert problem["tasks"] == list(names_for("image"))
    refused(send(house, saved(picture(14)), tasks="info,horoscope"), 422, "validation_error")
    body = ok(send(house, saved(picture(14)), tasks="info,sentiment"))
    assert list(body["result"]) == ["info"]
    assert body["skipped"] == [
        {"task": "sentiment", "reason": "It is for texts, and this is an image.", "how": None}
    ]  # fmt: skip


def test_a_batch_may_hold_both_kinds(house: House) -> None:
    files = [
        (io.BytesIO(saved(picture(16))), "photo.jpg"),
        (io.BytesIO(b"The delivery of this batch was late."), "letter.txt"),
        (io.BytesIO(saved(picture(16))[:500]), "broken.jpg"),
        (io.BytesIO(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3"), "paper.jpg"),
    ]
    body = ok(house.analyze(data={"files": files, "tasks": "statistics,palette"}))
    first, second, third, fourth = body["results"]
    assert (first["filename"], first["analysis"]["kind"]) == ("photo.jpg", "image")
    assert list(first["analysis"]["result"]) == ["palette"]
    assert list(second["analysis"]["result"]) == ["statistics"]
    assert (third["problem"]["code"], third["problem"]["status"]) == ("damaged_image", 422)
    assert fourth["problem"]["code"] == "unsupported_media_type"
