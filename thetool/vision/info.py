"""What an image file says about itself: its format, its size, its EXIF."""

from __future__ import annotations

from pydantic import BaseModel, Field

from thetool.vision.photo import ExifValue, Photo


class PlaceTaken(BaseModel):
    """Where the camera said it was."""

    latitude: float = Field(ge=-90, le=90, description="Degrees, WGS 84; south is negative.")
    longitude: float = Field(ge=-180, le=180, description="Degrees, WGS 84; west is negative.")
    altitude: float | None = Field(description="Metres above sea level; null when it is not told.")


class Info(BaseModel):
    """Facts of an image file. Width and height are those of the upright image."""

    format: str = Field(description="`JPEG`, `PNG`, `WebP`, `GIF`, `BMP`, `TIFF` or `HEIC`.", examples=["JPEG"])
    media_type: str = Field(description="Media type of that format.", examples=["image/jpeg"])
    width: int = Field(ge=1, description="Pixels from left to right, upright.")
    height: int = Field(ge=1, description="Pixels from top to bottom, upright.")
    megapixels: float = Field(ge=0, description="Millions of pixels.")
    bytes: int = Field(ge=0, description="Size of the file.")
    mode: str = Field(description="How a pixel is stored: `RGB`, `RGBA`, `grey`, `palette`, `CMYK` …")
    bits: int = Field(ge=1, description="Bits of one channel of a pixel.")
    frames: int = Field(ge=1, description="Pictures in the file; the first one is looked at.")
    has_alpha: bool = Field(description="Whether it can be transparent; what is transparent is looked at on white.")
    icc_profile: str | None = Field(description="Name of the colour profile inside; null without one.")
    orientation_applied: bool = Field(description="Whether EXIF said to turn or mirror it, which was done.")
    exif: dict[str, ExifValue] | None = Field(
        description="What the camera noted, by the names of the EXIF standard, without the location; null without EXIF."
    )
    location: PlaceTaken | None = Field(description="Where it was taken; null unless asked for and told by the file.")
    notes: list[str] = Field(description="What was odd about the file, in sentences.")


def find_info(photo: Photo, location: bool = False) -> Info:
    """What the photo's file says about itself; where it was taken only with `location`."""
    facts = photo.facts
    place = facts.location if location else None
    return Info(
        format=facts.format,
        media_type=facts.media_type,
        width=facts.width,
        height=facts.height,
        megapixels=round(facts.width * facts.height / 1e6, 2),
        bytes=facts.bytes,
        mode=facts.mode,
        bits=facts.bits,
        frames=facts.frames,
        has_alpha=facts.has_alpha,
        icc_profile=facts.icc_profile,
        orientation_applied=facts.orientation != 1,
        exif=dict(facts.exif) or None,
        location=PlaceTaken(latitude=place.latitude, longitude=place.longitude, altitude=place.altitude)
        if place
        else None,
        notes=list(facts.notes),
    )
