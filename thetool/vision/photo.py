"""A photo as all finders take it: upright RGB pixels, and what its file says about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ExifValue = str | int | float | list[int | float]


@dataclass(frozen=True)
class Location:
    """Where a photo was taken, as its EXIF says: degrees (WGS 84; south and west are negative), metres."""

    latitude: float
    longitude: float
    altitude: float | None = None


@dataclass(frozen=True)
class Facts:
    """What a file says about its image. Width and height are those of the upright image in full size."""

    format: str
    media_type: str
    width: int
    height: int
    bytes: int
    mode: str = "RGB"
    bits: int = 8
    frames: int = 1
    has_alpha: bool = False
    orientation: int = 1
    icc_profile: str | None = None
    exif: dict[str, ExifValue] = field(default_factory=dict)
    location: Location | None = None
    notes: list[str] = field(default_factory=list)
    """What was odd, in sentences for people: a colour profile that was ignored, EXIF too large to be read."""


@dataclass(frozen=True)
class Photo:
    """A decoded photo.

    `pixels` are (height, width, 3), RGB in sRGB, upright, read-only; what is transparent shows white. `scale` is how
    many pixels of the full-size image one of these is wide: a large photo is decoded smaller.
    """

    pixels: NDArray[np.uint8]
    scale: float
    facts: Facts


def photo_of(pixels: NDArray[np.uint8]) -> Photo:
    """The photo of pixels that somebody has in memory already: (height, width, 3), RGB.

    Raises:
        ValueError: they have another shape or type.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != "uint8" or 0 in pixels.shape:
        raise ValueError(f"pixels must be uint8 (height, width, 3), not {pixels.dtype} {pixels.shape}")
    view = pixels.view()
    view.flags.writeable = False
    height, width = pixels.shape[:2]
    facts = Facts(format="pixels", media_type="application/octet-stream", width=width, height=height, bytes=view.nbytes)
    return Photo(view, 1.0, facts)
