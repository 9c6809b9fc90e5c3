"""Sound image files, of every kind that is read, as upright RGB pixels."""

from __future__ import annotations

import struct
import threading

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin, TiffTags

from tests.vision.pictures import BLACK, BLUE, RED, WHITE, chunk, encoded, photo, png
from thetool.vision.decoder import LONGEST, Decoder


def plain(mode: str, colour: object) -> Image.Image:
    return Image.new(mode, (50, 40), colour)  # type: ignore[arg-type]


def colour_of(decoder: Decoder, content: bytes) -> tuple[int, ...]:
    return tuple(decoder.decode(content).pixels[20, 20].tolist())


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF"])
def test_each_format(decoder: Decoder, name: str) -> None:
    image = photo()
    content = encoded(image, name.upper())
    found = decoder.decode(content)
    assert (found.facts.format, found.facts.width, found.facts.height) == (name, 640, 480)
    assert (found.facts.bytes, found.facts.frames, found.facts.notes) == (len(content), 1, [])
    assert (found.pixels.shape, found.pixels.dtype, found.scale) == ((480, 640, 3), np.uint8, 1)
    difference = np.abs(found.pixels.astype(int) - np.asarray(image))
    assert difference.mean() < (12 if name == "GIF" else 3)


def test_pixels_are_those_of_the_file_and_cannot_be_changed(decoder: Decoder) -> None:
    image = photo()
    pixels = decoder.decode(encoded(image, "PNG")).pixels
    assert (pixels == np.asarray(image)).all()
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0, 0] = 1


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF"])
def test_orientation(decoder: Decoder, form: str, turn: int) -> None:
    """A mark that a viewer sees at the top left is there in the pixels, however the camera was held."""
    seen = Image.new("RGB", (64, 32), BLACK)
    seen.paste(WHITE, (0, 0, 16, 16))
    T = Image.Transpose  # noqa: N806
    undo = {2: T.FLIP_LEFT_RIGHT, 3: T.ROTATE_180, 4: T.FLIP_TOP_BOTTOM, 5: T.TRANSPOSE, 6: T.ROTATE_90}
    undo |= {7: T.TRANSVERSE, 8: T.ROTATE_270}
    stored = seen.transpose(undo[turn]) if turn in undo else seen
    exif = Image.Exif()
    exif[0x0112] = turn
    found = decoder.decode(encoded(stored, form, exif=exif.tobytes()))
    told = 1 if form == "HEIF" else turn  # a HEIC says it in a way of its own, and its EXIF counts for nothing
    assert (found.facts.width, found.facts.height, found.facts.orientation) == (64, 32, told)
    assert found.pixels.shape == (32, 64, 3)
    assert found.pixels[8, 8].min() > 200
    assert found.pixels[24, 48].max() < 50


def test_orientation_told_by_xmp_only(decoder: Decoder) -> None:
    """Pillow heeds it, but not in a TIFF; what is said of it is what was done."""
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[700], tags.tagtype[700] = xmp, TiffTags.BYTE
    for form, options, turn in (("JPEG", {"xmp": xmp}, 6), ("TIFF", {"tiffinfo": tags}, 1)):
        found = decoder.decode(encoded(Image.new("RGB", (64, 32)), form, **options))
        assert found.facts.orientation == turn
        assert found.pixels.shape[:2] == ((64, 32) if turn == 6 else (32, 64))


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk(decoder: Decoder, form: str) -> None:
    content = encoded(plain("CMYK", (0, 255, 255, 0)), form)
    assert np.abs(np.subtract(colour_of(decoder, content), RED)).max() < 4
    assert decoder.decode(content).facts.mode == "CMYK"


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits(decoder: Decoder, form: str) -> None:
    steps = np.linspace(0, 65_535, 10_000).astype(np.uint16).reshape(100, 100)
    found = decoder.decode(encoded(Image.fromarray(steps), form))
    assert (found.facts.mode, found.facts.bits) == ("grey", 16)
    assert (found.pixels[..., 1] == steps >> 8).all()


def test_sixteen_bits_a_colour(decoder: Decoder) -> None:
    row = b"\0" + bytes.fromhex("ffff00800000") * 4
    found = decoder.decode(png(4, 2, bits=16, colour=2, rows=row * 2))
    assert found.facts.bits == 16
    assert found.pixels[0, 0].tolist() == [255, 0, 0]


def test_floating_point(decoder: Decoder) -> None:
    values = np.linspace(0, 1, 2_500, dtype=np.float32).reshape(50, 50)
    found = decoder.decode(encoded(Image.fromarray(values), "TIFF"))
    assert (found.facts.bits, found.facts.notes) == (32, [])
    assert np.abs(found.pixels[..., 0] - values * 255).max() <= 1
    wide = decoder.decode(encoded(Image.fromarray(values * 1000 - 500), "TIFF"))
    assert (wide.pixels[0, 0, 0], wide.pixels[-1, -1, 0]) == (0, 255)
    assert "spread from black to white" in wide.facts.notes[0]


def test_palette(decoder: Decoder) -> None:
    image = plain("P", 1)
    image.putpalette([*BLACK, *BLUE])
    for form in ("PNG", "GIF", "BMP"):
        assert colour_of(decoder, encoded(image, form)) == BLUE
    found = decoder.decode(encoded(image, "PNG", transparency=1))
    assert (found.facts.mode, found.facts.has_alpha, found.pixels[0, 0].tolist()) == ("palette", True, list(WHITE))


@pytest.mark.parametrize(
    ("image", "options", "colour"),
    [
        (plain("RGBA", (255, 0, 0, 128)), {}, (255, 127, 127)),
        (plain("RGBA", (255, 0, 0, 0)), {}, WHITE),
        (plain("LA", (0, 0)), {}, WHITE),
        (plain("RGB", RED), {"transparency": RED}, WHITE),
        (plain("1", 1), {}, WHITE),
        (plain("L", 100), {}, (100, 100, 100)),
    ],
    ids=["half", "none", "grey", "one-colour", "one-bit", "opaque-grey"],
)
def test_alpha_is_seen_on_white(
    decoder: Decoder, image: Image.Image, options: dict[str, object], colour: tuple[int, ...]
) -> None:
    assert colour_of(decoder, encoded(image, "PNG", **options)) == colour


def test_large_with_alpha_is_shrunk_on_white(decoder: Decoder) -> None:
    """Colours of what is transparent do not bleed into the edges."""
    image = Image.new("RGBA", (3_200, 100), (0, 0, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 1_601, 100))
    row = decoder.decode(encoded(image, "PNG")).pixels[25].astype(int)
    assert row[400].tolist() == list(RED)
    assert row[1_200].tolist() == list(WHITE)
    assert row[:, 0].min() == 255


def test_colour_profile_is_applied(decoder: Decoder) -> None:
    """The file's numbers mean other colours than in sRGB: those of LAB, of which a profile can be made here."""
    lab = ImageCms.applyTransform(
        plain("RGB", (200, 80, 40)),
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"),
    )
    assert lab is not None
    assert np.abs(np.subtract(colour_of(decoder, encoded(lab, "TIFF")), (200, 80, 40))).max() <= 3


def profile_with_red_and_blue_swapped() -> bytes:
    """An ICC profile (version 2) in which the first number is the amount of blue, and the third that of red."""
    red, green, blue = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)

    def xyz(values: tuple[float, ...]) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65_536) for value in values))

    gamma = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(2.2 * 256), 0)
    name = b"desc\0\0\0\0" + struct.pack(">I", 8) + b"Swapped\0" + bytes(78)
    tags = {b"desc": name, b"cprt": b"text\0\0\0\0none\0\0\0\0", b"wtpt": xyz((0.9642, 1, 0.8249))}
    tags |= {b"rXYZ": xyz(blue), b"gXYZ": xyz(green), b"bXYZ": xyz(red)}
    tags |= {b"rTRC": gamma, b"gTRC": gamma, b"bTRC": gamma}
    table, data, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, value in tags.items():
        table += tag + struct.pack(">II", at + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(data), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63_190, 65_536, 54_061)
    return head.ljust(128, b"\0") + table + data


@pytest.mark.parametrize(("mode", "form"), [("RGB", "JPEG"), ("RGBA", "PNG"), ("RGB", "TIFF")])
@pytest.mark.parametrize("width", [50, 2_000])
def test_wide_colours_are_brought_to_srgb(decoder: Decoder, mode: str, form: str, width: int) -> None:
    image = Image.new(mode, (width, 50), RED)
    found = decoder.decode(encoded(image, form, icc_profile=profile_with_red_and_blue_swapped()))
    assert (found.facts.icc_profile, found.facts.notes) == ("Swapped", [])
    assert np.abs(found.pixels[20, 20].astype(int) - BLUE).max() <= 6


def test_srgb_profile_changes_nothing(decoder: Decoder) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = photo()
    found = decoder.decode(encoded(image, "PNG", icc_profile=profile))
    assert (found.facts.icc_profile, found.facts.notes) == ("sRGB built-in", [])
    assert (found.pixels == np.asarray(image)).all()


def test_first_of_several_frames(decoder: Decoder) -> None:
    frames = [plain("RGB", colour) for colour in (RED, BLUE, BLACK)]
    for form in ("GIF", "WEBP", "TIFF", "PNG"):
        options = {"lossless": True} if form == "WEBP" else {}
        found = decoder.decode(encoded(frames[0], form, save_all=True, append_images=frames[1:], **options))
        assert found.facts.frames == 3, form
        assert found.pixels[0, 0].tolist() == list(RED)


def test_large_photos_are_decoded_smaller(decoder: Decoder) -> None:
    """Boxes times `scale` are in pixels of the full size."""
    image = Image.new("RGB", (2_000, 1_500), BLACK)
    image.paste(WHITE, (1_000, 700, 2_000, 1_500))
    for form in ("JPEG", "PNG"):
        found = decoder.decode(encoded(image, form))
        assert (found.facts.width, found.facts.height) == (2_000, 1_500)
        assert found.pixels.shape == (1_200, LONGEST, 3)
        assert found.scale == 1.25
        left = int((found.pixels[1_000, :, 0] < 128).sum())
        assert abs(left * found.scale - 1_000) <= 2
    whole = decoder.decode(encoded(image, "JPEG"), longest=None)
    assert (whole.pixels.shape, whole.scale) == ((1_500, 2_000, 3), 1)
    turned = Image.Exif()
    turned[0x0112] = 6
    assert decoder.decode(encoded(image, "JPEG", exif=turned), longest=400).pixels.shape == (400, 300, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 60_000), (60_000, 1), (2, 1)])
def test_extreme_proportions(decoder: Decoder, size: tuple[int, int]) -> None:
    found = decoder.decode(encoded(Image.new("RGB", size, RED), "PNG"))
    assert (found.facts.width, found.facts.height) == size
    assert max(found.pixels.shape) == max(3, min(LONGEST, max(size)))
    assert found.pixels.reshape(-1, 3).tolist()[0] == list(RED)


def test_several_threads(decoder: Decoder) -> None:
    """Each gets the pixels of its own image."""
    files = {value: encoded(plain("L", value), "PNG") for value in range(0, 240, 8)}
    found: dict[int, int] = {}

    def decode(value: int) -> None:
        found[value] = int(decoder.decode(files[value]).pixels.max())

    threads = [threading.Thread(target=decode, args=(value,)) for value in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {value: value for value in files}


def test_unknown_chunks_are_passed_over(decoder: Decoder) -> None:
    assert decoder.decode(png(2, 2, rows=b"\0\7\7" * 2, extra=chunk(b"juNk", b"x"))).pixels.max() == 7
