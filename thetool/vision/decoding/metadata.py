"""What a file says about its image beside the pixels. Runs in the decoder's child."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from thetool.vision.decoding import exif, frames
from thetool.vision.decoding.colour import profile_name
from thetool.vision.formats import MEDIA_TYPES
from thetool.vision.photo import Facts

if TYPE_CHECKING:
    from PIL import Image

_MODES = {
    "1": "black and white", "L": "grey", "LA": "grey with alpha", "La": "grey with alpha", "I": "grey", "F": "grey",
    "P": "palette", "PA": "palette", "RGBX": "RGB", "RGBa": "RGBA",
}  # fmt: skip
TURNED_BY_PILLOW = frozenset({"TIFF"})
"""Formats whose images come upright, whatever their EXIF says. (HEIC's come with EXIF that says so.)"""

_TURNED = {5, 6, 7, 8}
_BITS_PER_SAMPLE = 258


def slimmed_jpeg(content: bytes) -> bytes:
    """A JPEG without the EXIF segments that no reader needs: more than `exif.MOST_BYTES` of them in all.

    Pillow joins them one by one, which takes 14 seconds for 60 MB.
    """
    kept, at, bulk = [content[:2]], 2, 0
    while content[at : at + 1] == b"\xff" and content[at + 1] not in (0xD9, 0xDA):  # up to the scan, or the end
        after = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        is_exif = content[at + 1] == 0xE1 and content[at + 4 : at + 8] == b"Exif"
        bulk += after - at if is_exif else 0
        if not is_exif or bulk <= exif.MOST_BYTES:
            kept.append(content[at:after])
        at = after
    return b"".join([*kept, content[at:]]) if bulk > exif.MOST_BYTES else content


def facts_of(image: Image.Image, name: str, content: bytes) -> Facts:
    """What an opened, not yet decoded image file says; `content` is the file as it came."""
    notes: list[str] = []
    tags = _exif_of(image, notes)
    orientation = exif.orientation_in(getattr(image, "tag_v2", {}) if name == "TIFF" else tags)
    turned = orientation in _TURNED and name not in TURNED_BY_PILLOW
    width, height = image.size[::-1] if turned else image.size
    told, place = {}, None
    try:
        told, place = exif.told_by(tags), exif.location_in(tags)
    except Exception:  # an optional part of the file, read by a library that raises whatever it stumbles over
        notes.append("Its EXIF is damaged and was not read.")
    return Facts(
        format=name,
        media_type=MEDIA_TYPES[name],
        width=width,
        height=height,
        bytes=len(content),
        mode="grey" if image.mode.startswith("I;16") else _MODES.get(image.mode, image.mode),
        bits=_bits(image, name, content),
        frames=_frames(image, name, content),
        has_alpha=image.has_transparency_data,
        orientation=orientation,
        icc_profile=profile_name(image, notes),
        exif=told,
        location=place,
        notes=notes,
    )


def _exif_of(image: Image.Image, notes: list[str]) -> Image.Exif:
    """The file's EXIF; empty when it cannot or should not be read."""
    from PIL import Image

    raw = image.info.get("exif") or image.info.get("Raw profile type exif") or b""
    if len(raw) > exif.MOST_BYTES:
        notes.append(f"Its EXIF has {len(raw):,} bytes, which is too much to be read.")
        return Image.Exif()
    try:
        return image.getexif()
    except Exception:  # see above
        notes.append("Its EXIF is damaged and was not read.")
        return Image.Exif()


def _bits(image: Image.Image, name: str, content: bytes) -> int:
    """Bits of one channel, as the file stores it."""
    if name == "PNG":
        return content[24]
    if name == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, ())
        with contextlib.suppress(TypeError, IndexError):
            return int(bits[0])
    if name == "HEIC":
        return int(image.info.get("bit_depth", 8))
    return {"1": 1, "I": 32, "F": 32}.get(image.mode, 16 if image.mode.startswith("I;16") else 8)


def _frames(image: Image.Image, name: str, content: bytes) -> int:
    if name == "GIF":
        return frames.gif_frames(content)
    if name == "TIFF":
        return frames.tiff_frames(content)
    return int(getattr(image, "n_frames", 1))
