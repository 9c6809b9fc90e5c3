"""From the bytes of an image file to upright RGB pixels. Runs in the decoder's child."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image

from thetool.vision.decoding.colour import to_eight_bits, to_srgb, without_alpha
from thetool.vision.decoding.metadata import TURNED_BY_PILLOW, facts_of, slimmed_jpeg
from thetool.vision.formats import HEAD, image_format
from thetool.vision.photo import Facts

_READERS = {"HEIC": "HEIF"}
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SHRINKING = frozenset({"RGB", "RGBA", "L", "CMYK", "LAB", "YCbCr"})


def decode(content: bytes, longest: int | None) -> tuple[Image.Image, Facts]:
    """The upright RGB image that a file holds, its longer side at most `longest`, and what the file says about it.

    Raises:
        Image.DecompressionBombError: it has more pixels than Pillow was told to allow.
        Exception: it is damaged; Pillow's readers raise whatever they stumble over.
    """
    name = image_format(content[:HEAD])
    if name is None:
        raise ValueError("its first bytes are those of no image")
    if name == "HEIC":
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False)
    slim = slimmed_jpeg(content) if name == "JPEG" else content
    with Image.open(io.BytesIO(slim), formats=[_READERS.get(name, name)]) as image:
        if name == "PNG":
            image.load()  # to ask for its EXIF would do that, and what is broken is told once, by the first that loads
        facts = facts_of(image, name, content)
        notes = list(facts.notes)
        if slim is not content:
            notes.append(f"{len(content) - len(slim):,} bytes of its EXIF were not read.")
        size = _size(image.size, longest)
        if name == "JPEG":
            image.draft(None, size)  # the reader halves it as often as that leaves it large enough
        image.load()
        turn = _UPRIGHT.get(facts.orientation) if name not in TURNED_BY_PILLOW else None
        pixels = _rgb(image, size, notes)
        if turn is not None:
            pixels = pixels.transpose(turn)
    return pixels, replace(facts, notes=notes)


def _size(size: tuple[int, int], longest: int | None) -> tuple[int, int]:
    """The size to decode to: with the same proportions, and no side below 1."""
    if longest is None or max(size) <= longest:
        return size
    width, height = (max(1, round(side * longest / max(size))) for side in size)
    return width, height


def _rgb(image: Image.Image, size: tuple[int, int], notes: list[str]) -> Image.Image:
    """The image in sRGB and this size, on white."""
    pixels = to_eight_bits(image, notes)
    if pixels.size != size:
        if pixels.mode not in _SHRINKING or "transparency" in pixels.info:
            pixels = pixels.convert("RGBA" if pixels.has_transparency_data else "RGB")
        profile = pixels.info.get("icc_profile")
        pixels = pixels.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0)
        if profile:
            pixels.info["icc_profile"] = profile
    return to_srgb(without_alpha(pixels), notes)
