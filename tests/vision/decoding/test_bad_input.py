"""Files that are damaged, enormous, something else or made to do harm: each gets its problem, the next one is read."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tests.vision.pictures import RED, chunk, encoded, photo, png, tiff
from thetool.vision.decoder import Decoder, Limits
from thetool.vision.problems import DamagedImage, ImageTooLarge, UnsupportedImage

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
PICTURE = photo(160, 120)
FILES = {form: encoded(PICTURE, form) for form in FORMATS}
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
EMPTY_EXIF = b"II*\0\x08\0\0\0"


@pytest.fixture(autouse=True)
def reads_on(decoder: Decoder) -> Iterator[None]:
    """Whatever came before, a sound image is read afterwards."""
    yield
    assert decoder.decode(FILES["PNG"]).pixels.shape == (120, 160, 3)


@pytest.mark.parametrize("form", FORMATS)
def test_truncated(decoder: Decoder, form: str) -> None:
    for share in (0.02, 0.3, 0.7):
        content = FILES[form][: max(20, int(len(FILES[form]) * share))]
        with pytest.raises(DamagedImage, match=r"^It could not be decoded: it.*Open it in an image program"):
            decoder.decode(content)


def test_broken_data_within_a_png(decoder: Decoder) -> None:
    """All of it is there, but not what was written: no picture that is black from there on."""
    content = FILES["PNG"]
    for broken in (content[:60] + b"\xff" * (len(content) - 60), content[:3_000] + b"\xff" * 500 + content[3_500:]):
        with pytest.raises(DamagedImage, match="its data is corrupt"):
            decoder.decode(broken)


def test_only_a_head(decoder: Decoder) -> None:
    for content in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", png(10, 10)):
        with pytest.raises(DamagedImage):
            decoder.decode(content)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.sampled_from(FORMATS), seed=st.integers(0, 2**32), holes=st.integers(1, 30))
def test_corrupt(decoder: Decoder, form: str, seed: int, holes: int) -> None:
    """Bytes changed anywhere: an image comes of it or one of our problems, nothing else, and soon."""
    content = bytearray(FILES[form])
    chance = np.random.default_rng(seed)
    for at in chance.integers(0, min(len(content), 2_000), holes):
        content[at] = chance.integers(0, 256)
    with contextlib.suppress(DamagedImage, ImageTooLarge, UnsupportedImage):
        assert decoder.decode(bytes(content)).pixels.shape[2] == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "This is a PDF document. Images that are read are JPEG"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "This is an SVG drawing"),
        (b"", "This is empty"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "This is an AVIF image"),
        (b"push graphic-context\nviewbox 0 0 640 480", "This is no image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "This is a PostScript drawing"),
    ],
    ids=["pdf", "svg", "empty", "avif", "mvg", "eps"],
)
def test_no_image(decoder: Decoder, content: bytes, words: str) -> None:
    """Whatever its name says: names are not looked at."""
    with pytest.raises(UnsupportedImage, match=words) as raised:
        decoder.decode(content)
    assert (raised.value.status, raised.value.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        (np.zeros((20, 30, 3), "<f4"), "3 channels of 32-bit floating-point numbers"),
        (np.zeros((20, 30, 1), "<f8"), "one channel of 64-bit floating-point numbers"),
    ],
)
def test_a_sound_tiff_of_numbers_that_are_not_read_is_not_called_damaged(
    decoder: Decoder, values: np.ndarray[Any, Any], stored: str
) -> None:
    with pytest.raises(UnsupportedImage, match=f"Its pixels are {stored}. Such are not read here: save it as"):
        decoder.decode(tiff(values, pages=2))


def test_enormous(decoder: Decoder) -> None:
    """20,000 × 20,000 pixels, said in a few bytes."""
    webp = b"VP8X" + (10).to_bytes(4, "little") + b"\0\0\0\0" + (16_382).to_bytes(3, "little") * 2
    gif = b"GIF89a" + (20_000).to_bytes(2, "little") * 2 + b"\0\0\0,\0\0\0\0" + (20_000).to_bytes(2, "little") * 2
    for content in (
        png(20_000, 20_000, rows=b"\0" * 100),
        png(2**31 - 1, 2**31 - 1, rows=b"\0" * 100),
        b"RIFF" + (len(webp) + 4).to_bytes(4, "little") + b"WEBP" + webp,
        gif + b"\0\x08\0;",
    ):
        with pytest.raises(ImageTooLarge, match=r"more than 100 megapixels. Send a smaller version"):
            decoder.decode(content)


def test_just_within_the_limit() -> None:
    limits = Limits(pixels=10_000)
    tight = Decoder(limits=limits)
    try:
        assert tight.decode(encoded(photo(100, 100), "PNG")).pixels.shape == (100, 100, 3)
        with pytest.raises(ImageTooLarge, match=r"more than 0\.01 megapixels"):
            tight.decode(encoded(photo(101, 100), "PNG"))
    finally:
        tight.close()


def test_needs_too_much_memory() -> None:
    """A picture whose pixels are allowed, and whose memory is not; the child that refused goes on."""
    tight = Decoder(limits=Limits(memory_mb=160))
    try:
        with pytest.raises(ImageTooLarge, match="needs more than 160 MiB"):
            tight.decode(png(9_000, 9_000, colour=2, rows=b"\0" * 30_000))
        assert tight.decode(FILES["JPEG"]).pixels.shape == (120, 160, 3)
    finally:
        tight.close()


def test_bombs_in_text_and_profile(decoder: Decoder) -> None:
    bomb = zlib.compress(b"A" * 30_000_000)
    for kind in (b"zTXt", b"iCCP"):
        with pytest.raises(DamagedImage, match="a text or a colour profile inside it is too large"):
            decoder.decode(png(2, 2, rows=b"\0\1\1" * 2, extra=chunk(kind, b"a\0\0" + bomb)))


def test_animated_webp_of_2000_frames(decoder: Decoder) -> None:
    frames = [Image.new("RGB", (16, 16), (number % 256, number // 256, 0)) for number in range(2_000)]
    content = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, method=0)
    found = decoder.decode(content)
    assert (found.facts.frames, found.pixels.shape) == (2_000, (16, 16, 3))


def test_very_many_frames_are_counted_so_far(decoder: Decoder) -> None:
    gif = FILES["GIF"]
    at = gif.index(b",")
    found = decoder.decode(gif[:-1] + gif[at : at + 10] + b"\x02\0" + b",\0\0\0\0\1\0\1\0\0\x02\0" * 20_000 + b";")
    assert found.facts.frames == 10_000


def test_tiff_that_bites_its_tail(decoder: Decoder) -> None:
    """The last directory says that the first one comes next."""
    content = bytearray(encoded(photo(40, 30), "TIFF"))
    first = int.from_bytes(content[4:8], "little")
    after = first + 2 + 12 * int.from_bytes(content[first : first + 2], "little")
    content[after : after + 4] = content[4:8]
    assert decoder.decode(bytes(content)).facts.frames == 1


@pytest.mark.parametrize(
    "tail",
    [b"PK\x03\x04" + b"x" * 500, b"<script>alert(1)</script>", b"%PDF-1.4\n", FILES["PNG"]],
    ids=["zip", "script", "pdf", "png"],
)
def test_polyglots_are_what_they_begin_as(decoder: Decoder, tail: bytes) -> None:
    found = decoder.decode(FILES["JPEG"] + tail)
    assert found.facts.format == "JPEG"
    assert (found.pixels == decoder.decode(FILES["JPEG"]).pixels).all()


def test_exif_of_60_mb(decoder: Decoder) -> None:
    """In a PNG in one piece; in a JPEG in 920, which its reader would need 14 seconds to join."""
    extra = chunk(b"eXIf", EMPTY_EXIF + bytes(5_000_000))
    found = decoder.decode(png(2, 2, rows=b"\0\1\1" * 2, extra=extra))
    assert found.facts.notes == ["Its EXIF has 5,000,014 bytes, which is too much to be read."]
    segment = b"\xff\xe1" + (65_533).to_bytes(2, "big") + b"Exif\0\0" + bytes(65_525)
    found = decoder.decode(FILES["JPEG"][:2] + segment * 920 + FILES["JPEG"][2:])
    assert found.pixels.shape == (120, 160, 3)
    assert "bytes of its EXIF were not read" in found.facts.notes[0]


def test_exif_that_makes_no_sense(decoder: Decoder) -> None:
    for nonsense in (b"II*\0\xff\xff\xff\xff", b"XX", EMPTY_EXIF + b"\xff\xff" + b"\x12\x01\x05\0" * 50):
        found = decoder.decode(png(2, 2, rows=b"\0\1\1" * 2, extra=chunk(b"eXIf", nonsense)))
        assert (found.pixels.shape, found.facts.exif, found.facts.orientation) == ((2, 2, 3), {}, 1)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (b"junk" * 100, "is damaged"),
        (PROFILE[:200], "is damaged"),
        (PROFILE[:128] + b"\xff" * 4 + PROFILE[132:], "is damaged"),
        (ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(), "does not fit its pixels"),
    ],
    ids=["junk", "cut-off", "four-billion-tags", "other-colours"],
)
def test_colour_profile_that_lies(decoder: Decoder, profile: bytes, words: str) -> None:
    found = decoder.decode(encoded(Image.new("RGB", (8, 8), RED), "PNG", icc_profile=profile))
    assert found.pixels[0, 0].tolist() == list(RED)
    assert found.facts.notes == [f"Its colour profile {words} and was ignored."]


def test_colour_profile_of_another_kind_of_pixels(decoder: Decoder) -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    found = decoder.decode(encoded(image, "JPEG", icc_profile=PROFILE))
    assert np.abs(found.pixels[0, 0].astype(int) - RED).max() < 4
    assert "does not fit its pixels" in found.facts.notes[0]


def test_colour_profile_that_is_too_large(decoder: Decoder) -> None:
    found = decoder.decode(encoded(PICTURE, "TIFF", icc_profile=PROFILE + bytes(5_000_000)))
    assert found.facts.notes == [f"Its colour profile has {len(PROFILE) + 5_000_000:,} bytes and was ignored."]
