"""What is told of a file, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image, TiffImagePlugin

from tests.vision.pictures import encoded, photo
from thetool.vision.decoder import Decoder
from thetool.vision.info import Info, find_info
from thetool.vision.photo import Photo, photo_of

Rational = TiffImagePlugin.IFDRational


def exif_of(main: dict[int, Any], camera: dict[int, Any] | None = None, place: dict[int, Any] | None = None) -> bytes:
    exif = Image.Exif()
    exif.update(main)
    exif.get_ifd(0x8769).update(camera or {})
    exif.get_ifd(0x8825).update(place or {})
    return exif.tobytes()


HOLZMINDEN = {1: "N", 2: (51.0, 49.0, 48.0), 3: "E", 4: (9.0, 27.0, 0.0), 5: b"\0", 6: 83.5}


def taken(decoder: Decoder, form: str = "JPEG", **parts: Any) -> Photo:
    return decoder.decode(encoded(photo(60, 40), form, exif=exif_of(**parts)))


def told(decoder: Decoder, **parts: Any) -> dict[str, Any]:
    return find_info(taken(decoder, **parts)).exif or {}


def test_facts(decoder: Decoder) -> None:
    content = encoded(photo(1_280, 720), "JPEG")
    assert find_info(decoder.decode(content)) == Info(
        format="JPEG",
        media_type="image/jpeg",
        width=1_280,
        height=720,
        megapixels=0.92,
        bytes=len(content),
        mode="RGB",
        bits=8,
        frames=1,
        has_alpha=False,
        icc_profile=None,
        orientation_applied=False,
        exif=None,
        location=None,
        notes=[],
    )


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_camera(decoder: Decoder, form: str) -> None:
    camera = {0x829A: Rational(1, 250), 0x8827: 100, 0x9003: "2026:11:22 10:00:00", 0xA434: "50 mm"}
    info = find_info(taken(decoder, form, main={0x010F: "Canon\0", 0x0110: " EOS  R5 ", 0x0112: 6}, camera=camera))
    assert info.exif is not None
    expected = {
        "Make": "Canon",
        "Model": "EOS  R5",
        "Orientation": 6,
        "ExposureTime": 0.004,
        "PhotographicSensitivity": 100,
        "DateTimeOriginal": "2026:11:22 10:00:00",
        "LensModel": "50 mm",
    }
    assert expected.items() <= info.exif.items()
    assert (info.width, info.height, info.orientation_applied) == (40, 60, True)


def test_place_only_when_asked(decoder: Decoder) -> None:
    found = taken(decoder, main={0x010F: "Canon"}, place=HOLZMINDEN)
    quiet = find_info(found)
    assert quiet.location is None
    assert "51.8" not in quiet.model_dump_json()
    place = find_info(found, location=True).location
    assert place is not None
    assert (place.latitude, place.longitude, place.altitude) == (51.83, 9.45, 83.5)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({1: "S", 3: "W", 5: b"\1"}, (-51.83, -9.45, -83.5)),
        ({6: Rational(1, 0)}, (51.83, 9.45, None)),
        ({2: (151.0, 0.0, 0.0)}, None),
        ({2: (Rational(1, 0), 0.0, 0.0)}, None),
        ({4: (200.0, 0.0, 0.0)}, None),
    ],
    ids=["south-west-below", "no-height", "beyond-the-pole", "divided-by-zero", "beyond-the-date-line"],
)
def test_places(decoder: Decoder, place: dict[int, Any], expected: tuple[float, ...] | None) -> None:
    found = find_info(taken(decoder, main={}, place={**HOLZMINDEN, **place}), location=True).location
    assert (tuple(found.model_dump().values()) if found else None) == expected


def test_what_may_give_places_and_names_away_is_not_told(decoder: Decoder) -> None:
    secret = b"Holzminden"
    exif = told(
        decoder,
        main={0x010F: "Canon", 0x02BC: b"<x:xmpmeta>" + secret, 0x83BB: secret, 0x9C9B: secret},
        camera={0x927C: secret * 50, 0x9286: b"ASCII\0\0\0" + secret, 0xA430: "Owner", 0xA431: "12345"},
    )
    assert exif == {"Make": "Canon"}


def test_values_that_make_no_sense_are_left_out(decoder: Decoder) -> None:
    exif = told(
        decoder,
        main={0x010E: "x" * 5_000, 0x0131: "\0\0", 0x013B: "a\x00b\x1b[31m"},
        camera={0x829A: Rational(1, 0)},
    )
    assert exif == {"ImageDescription": "x" * 200, "Artist": "ab[31m"}


def test_pixels_that_were_in_memory() -> None:
    import numpy as np

    pixels = np.zeros((3, 4, 3), np.uint8)
    info = find_info(photo_of(pixels))
    assert (info.format, info.width, info.height) == ("pixels", 4, 3)
    for wrong in (pixels[..., :2], pixels.astype(float), pixels[0], pixels[:0]):
        with pytest.raises(ValueError, match="uint8"):
            photo_of(wrong)
