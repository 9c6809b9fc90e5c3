"""HEIC, as telephones write it: read where `pillow-heif` is installed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms
from pillow_heif import from_bytes

from tests.vision.pictures import WHITE, encoded, photo
from thetool.vision.decoder import Decoder
from thetool.vision.problems import DamagedImage, ImageTooLarge, UnsupportedImage

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_heic_without_its_library(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thetool.vision.decoder.find_spec", lambda _: None)
    with pytest.raises(UnsupportedImage, match="pillow-heif, is not installed"):
        decoder.decode(b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf")


def test_heic_as_telephones_write_it(decoder: Decoder) -> None:
    image = photo()
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    content = encoded(image, "HEIF", exif=exif, icc_profile=PROFILE, append_images=[image], save_all=True)
    found = decoder.decode(content, longest=320)
    facts = found.facts
    assert (facts.format, facts.media_type, facts.width, facts.height) == ("HEIC", "image/heic", 640, 480)
    assert (facts.mode, facts.bits, facts.frames, facts.has_alpha) == ("RGB", 8, 2, False)
    assert (facts.exif["Make"], facts.notes, "sRGB" in str(facts.icc_profile)) == ("Camera", [], True)
    assert (found.pixels.shape, found.scale) == ((240, 320, 3), 2)
    assert np.abs(found.pixels.astype(int) - np.asarray(image.resize((320, 240)))).mean() < 4


def test_transparent_heic(decoder: Decoder) -> None:
    found = decoder.decode(encoded(Image.new("RGBA", (50, 40), (255, 0, 0, 0)), "HEIF"))
    assert (found.facts.has_alpha, found.pixels[0, 0].tolist()) == (True, list(WHITE))


def test_heic_of_ten_bits(decoder: Decoder) -> None:
    steps = np.linspace(0, 65_535, 60_000).astype(np.uint16).reshape(100, 200, 3)
    file = io.BytesIO()
    from_bytes("RGB;16", (200, 100), steps.tobytes()).save(file, quality=-1)
    found = decoder.decode(file.getvalue())
    assert found.facts.bits == 10
    assert np.abs(found.pixels.astype(int) - (steps >> 8)).max() < 4


def test_damaged_heic_and_one_that_is_too_large(decoder: Decoder) -> None:
    content = bytearray(encoded(photo(), "HEIF"))
    for share in (0.05, 0.3, 0.7):
        with pytest.raises(DamagedImage):
            decoder.decode(bytes(content[: int(len(content) * share)]))
    at = content.index(b"ispe") + 8
    content[at : at + 8] = (20_000).to_bytes(4, "big") * 2
    with pytest.raises(ImageTooLarge):
        decoder.decode(bytes(content))
    assert decoder.decode(encoded(photo(), "HEIF")).pixels.shape == (480, 640, 3)
