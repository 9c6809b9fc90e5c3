"""Drawing what was found over a photo."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from thetool.vision.photo import Photo

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

MEDIA_TYPE = "image/jpeg"
Mark = tuple[str, tuple[float, float, float, float]]
"""What to write, and the box in pixels of the upright full-size image."""

_QUALITY = 85
_MOST_WORDS = 60
_COLOURS = (
    "#c2410c",
    "#1d4ed8",
    "#15803d",
    "#a21caf",
    "#b45309",
    "#0e7490",
    "#be123c",
    "#4d7c0f",
    "#6d28d9",
    "#9f1239",
)
"""Dark enough for white letters (contrast of 4.5 and more)."""


def annotated(photo: Photo, marks: Iterable[Mark]) -> bytes:
    """A JPEG of the photo with a box and a word for each mark, as large as `photo.pixels`, with no metadata.

    Marks with the same first word have the same colour. The font has Latin letters only.
    """
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(photo.pixels)
    draw = ImageDraw.Draw(image)
    letters = max(12, min(image.size) // 40)
    font = ImageFont.load_default(letters)
    for words, box in marks:
        _draw(draw, font, words[:_MOST_WORDS], tuple(edge / photo.scale for edge in box), max(2, letters // 6))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _draw(draw: ImageDraw.ImageDraw, font: Font, words: str, box: tuple[float, ...], line: int) -> None:
    """One box, and its words on top of it, or inside where there is no room above."""
    width, height = draw.im.size
    left, top, right, bottom = (
        min(max(round(edge), 0), most - 1) for edge, most in zip(box, (width, height) * 2, strict=True)
    )
    left, right, top, bottom = min(left, right), max(left, right), min(top, bottom), max(top, bottom)
    colour = _COLOURS[zlib.crc32(words.split(" ")[0].encode()) % len(_COLOURS)]
    draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="white", width=line + 2)
    draw.rectangle((left, top, right, bottom), outline=colour, width=line)
    inner = draw.textbbox((0, 0), words, font=font)
    wide, high = int(inner[2]) + 2 * line, int(inner[3]) + 2 * line
    x = max(0, min(left, width - wide))
    y = top - high if top >= high else min(top, max(0, height - high))
    draw.rectangle((x, y, x + wide, y + high), fill=colour)
    draw.text((x + line, y + line), words, font=font, fill="white")
