"""Colours as sRGB, whatever the file's colour profile and way of storing them. Runs in the decoder's child."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

MOST_PROFILE_BYTES = 4 * 2**20
LONGEST_NAME = 100
WHITE = (255, 255, 255)

_IGNORED = "Its colour profile {} and was ignored."


def profile_name(image: Image.Image, notes: list[str]) -> str | None:
    """What the colour profile inside calls itself; None without one that can be read, which is then noted."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if not profile:
        return None
    if len(profile) > MOST_PROFILE_BYTES:
        notes.append(_IGNORED.format(f"has {len(profile):,} bytes"))
        return None
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        notes.append(_IGNORED.format("is damaged"))
        return None
    return "".join(filter(str.isprintable, name)).strip()[:LONGEST_NAME] or "without a name"


def to_eight_bits(image: Image.Image, notes: list[str]) -> Image.Image:
    """An image with 8 bits a channel; of 16 bits the upper ones, of other numbers what spans them."""
    from PIL import Image

    if image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        return image
    import numpy as np

    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((values >> 8).astype(np.uint8))
    values = np.nan_to_num(values.astype(np.float32), posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    if image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif image.mode == "I" and low >= 0 and high <= 0xFFFF:
        low, high = 0.0, 65_535.0
    else:
        notes.append(f"Its values go from {low:g} to {high:g}; they were spread from black to white.")
    values -= low
    values *= 255 / ((high - low) or 1)
    return Image.fromarray(values.astype(np.uint8))


def without_alpha(image: Image.Image) -> Image.Image:
    """What is transparent shows white."""
    from PIL import Image

    if not image.has_transparency_data:
        return image
    layered = image if image.mode == "RGBA" else image.convert("RGBA")
    flat = Image.new("RGB", image.size, WHITE)
    flat.paste(layered, mask=layered.getchannel("A"))
    if "icc_profile" in image.info:
        flat.info["icc_profile"] = image.info["icc_profile"]
    return flat


def to_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """RGB pixels in sRGB, by the image's colour profile if it has one that fits."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile") or b""
    if image.mode == "LAB":
        return ImageCms.applyTransform(image, _from_lab()) or image.convert("RGB")
    if image.mode in ("RGB", "CMYK") and 0 < len(profile) <= MOST_PROFILE_BYTES:
        try:
            transform = _from_profile(profile, image.mode)
            if transform is not None:
                return ImageCms.applyTransform(image, transform) or image
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            damaged = _IGNORED.format("is damaged")
            if damaged not in notes:
                notes.append(_IGNORED.format("does not fit its pixels"))
    return image if image.mode == "RGB" else image.convert("RGB")


@lru_cache(maxsize=16)
def _from_profile(profile: bytes, mode: str) -> Any:
    """The way from a colour profile to sRGB; None when it is that already."""
    from PIL import ImageCms

    found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(found):
        return None
    return ImageCms.buildTransform(found, ImageCms.createProfile("sRGB"), mode, "RGB")


@lru_cache(maxsize=1)
def _from_lab() -> Any:
    from PIL import ImageCms

    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
