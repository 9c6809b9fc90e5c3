"""What EXIF says of a photo (CIPA DC-008), as plain values. Runs in the decoder's child.

Only tags that are known to be harmless are told: not the place, not the maker's own notes, no thumbnails, no other
blocks of metadata (XMP, IPTC), where places and names hide as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from thetool.vision.photo import ExifValue, Location

if TYPE_CHECKING:
    from PIL import Image

MOST_BYTES = 2**20
"""EXIF that is larger is not read: cameras write less than a tenth of that."""

LONGEST_TEXT = 200
MOST_NUMBERS = 16

_EXIF_PART, _GPS_PART = 0x8769, 0x8825

_MAIN = {
    0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0112: "Orientation", 0x011A: "XResolution",
    0x011B: "YResolution", 0x0128: "ResolutionUnit", 0x0131: "Software", 0x0132: "DateTime", 0x013B: "Artist",
    0x8298: "Copyright",
}  # fmt: skip
_CAMERA = {
    0x829A: "ExposureTime", 0x829D: "FNumber", 0x8822: "ExposureProgram", 0x8827: "PhotographicSensitivity",
    0x9003: "DateTimeOriginal", 0x9004: "DateTimeDigitized", 0x9010: "OffsetTime", 0x9011: "OffsetTimeOriginal",
    0x9201: "ShutterSpeedValue", 0x9202: "ApertureValue", 0x9203: "BrightnessValue", 0x9204: "ExposureBiasValue",
    0x9205: "MaxApertureValue", 0x9206: "SubjectDistance", 0x9207: "MeteringMode", 0x9208: "LightSource",
    0x9209: "Flash", 0x920A: "FocalLength", 0x9291: "SubSecTimeOriginal", 0xA001: "ColorSpace",
    0xA002: "PixelXDimension", 0xA003: "PixelYDimension", 0xA217: "SensingMethod", 0xA402: "ExposureMode",
    0xA403: "WhiteBalance", 0xA404: "DigitalZoomRatio", 0xA405: "FocalLengthIn35mmFilm", 0xA406: "SceneCaptureType",
    0xA408: "Contrast", 0xA409: "Saturation", 0xA40A: "Sharpness", 0xA432: "LensSpecification", 0xA433: "LensMake",
    0xA434: "LensModel",
}  # fmt: skip


def told_by(exif: Image.Exif) -> dict[str, ExifValue]:
    """The values of the tags that are told, by the names of the standard; one that makes no sense is left out."""
    return {
        **dict(_named(exif, _MAIN)),
        **dict(_named(exif.get_ifd(_EXIF_PART), _CAMERA)),
    }


def location_in(exif: Image.Exif) -> Location | None:
    """Where the photo was taken, if the EXIF says that and it is a place on Earth."""
    place = exif.get_ifd(_GPS_PART)
    latitude = _degrees(place.get(2), place.get(1), "S")
    longitude = _degrees(place.get(4), place.get(3), "W")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    altitude = _number(place.get(6))
    below = place.get(5) in (1, b"\x01")
    return Location(latitude, longitude, -altitude if below and altitude is not None else altitude)


def orientation_in(exif: Mapping[int, Any]) -> int:
    """How the pixels are to be turned or mirrored, 1 (not at all) to 8."""
    found = exif.get(0x0112)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _named(values: Mapping[int, Any], names: dict[int, str]) -> Iterator[tuple[str, ExifValue]]:
    for tag, name in names.items():
        if tag in values:
            value = _plain(values[tag])
            if value is not None:
                yield name, value


def _plain(value: Any) -> ExifValue | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        text = "".join(character for character in value if character.isprintable())
        return text.strip()[:LONGEST_TEXT] or None
    if isinstance(value, tuple):
        numbers = [number for number in map(_number, value[:MOST_NUMBERS]) if number is not None]
        return numbers or None
    return _number(value)


def _number(value: Any) -> int | float | None:
    """A finite number; rationals are rounded to six digits, and those with a zero below the line are nothing."""
    if isinstance(value, int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return round(number, 6) if math.isfinite(number) else None


def _degrees(parts: Any, side: Any, negative: str) -> float | None:
    """Degrees, minutes and seconds as one number."""
    if not isinstance(parts, tuple) or not 1 <= len(parts) <= 3:
        return None
    numbers = [_number(part) for part in parts]
    if any(number is None for number in numbers):
        return None
    degrees = sum(number / 60.0**power for power, number in enumerate(numbers) if number is not None)
    return round(-degrees if str(side).strip("\0 ").upper() == negative else degrees, 6)
