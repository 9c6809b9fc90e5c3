"""Drawing what was found over a photo."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from thetool.vision.photo import Photo

if TYPE_CHECKING:
    from PIL import ImageDraw
    from PIL.Image import Image

MEDIA_TYPE = "image/jpeg"
Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom."""
Mark = tuple[str, tuple[float, float, float, float]]
"""What to write, and the box in pixels of the upright full-size image."""

_QUALITY = 85
_MOST_WORDS = 60
_WEIGHT = 600  # of the letters: between regular (400) and bold (700)
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
    """A JPEG of the photo with a box and words for each mark, as large as `photo.pixels`, with no metadata.

    Marks with the same first word have the same colour. Words do not cover each other where there is room. The font is
    OpenCV's own: Latin, Greek, Cyrillic, Arabic, Chinese, Japanese and Korean letters; others become question marks.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(photo.pixels)
    draw = ImageDraw.Draw(image)
    letters = max(12, min(image.size) // 40)
    line = max(2, letters // 6)
    outlines = [(words[:_MOST_WORDS], _within(image.size, box, photo.scale)) for words, box in marks]
    for words, box in outlines:
        _outline(draw, box, _colour(words), line)
    taken: list[Rectangle] = []
    for words, box in outlines:
        if not words.strip():
            continue
        tag = _tag(words, _colour(words), letters, line)
        place = _place(tag.size, box, image.size, taken)
        image.paste(tag, place[:2])
        taken.append(place)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def _within(size: tuple[int, int], box: tuple[float, ...], scale: float) -> Rectangle:
    """The box in pixels of a picture of that size, and no larger than it."""
    left, top, right, bottom = (
        min(max(round(edge / scale), 0), most - 1) for edge, most in zip(box, size * 2, strict=True)
    )
    return min(left, right), min(top, bottom), max(left, right), max(top, bottom)


def _colour(words: str) -> str:
    return _COLOURS[zlib.crc32(words.split(" ")[0].encode()) % len(_COLOURS)]


def _outline(draw: ImageDraw.ImageDraw, box: Rectangle, colour: str, line: int) -> None:
    left, top, right, bottom = box
    draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline="white", width=line + 2)
    draw.rectangle(box, outline=colour, width=line)


def _tag(words: str, colour: str, letters: int, line: int) -> Image:
    """The words in white on their colour."""
    import cv2
    import numpy as np
    from PIL import Image, ImageColor

    shown = "".join(letter if letter.isprintable() else " " for letter in words)
    font = cv2.FontFace("sans")
    wide = cv2.getTextSize((1 << 15, 1 << 10), shown, (0, 0), font, letters, _WEIGHT)[2]
    tag = np.full((round(1.3 * letters) + line, wide + 2 * line, 3), ImageColor.getrgb(colour), np.uint8)
    # Room on its right keeps OpenCV from breaking the line.
    roomy = np.pad(tag, ((0, 0), (0, 2 * letters), (0, 0)), mode="edge")
    cv2.putText(roomy, shown, (line, letters + line // 2), (255, 255, 255), font, letters, _WEIGHT)
    return Image.fromarray(roomy[:, : tag.shape[1]])


def _place(size: tuple[int, int], box: Rectangle, picture: tuple[int, int], taken: list[Rectangle]) -> Rectangle:
    """Where words of that size cover the least of what is taken: above the box, in it, below it, on its right side."""
    (wide, high), (left, top, right, bottom) = size, box
    starts = [(x, y) for x in (left, right - wide) for y in (top - high, top, bottom - high, bottom)]
    free = []
    for x, y in starts:
        if y < 0 or y + high > picture[1]:
            y = top  # no room there: inside
        x, y = max(0, min(x, picture[0] - wide)), max(0, min(y, picture[1] - high))
        free.append((x, y, x + wide, y + high))
    return min(free, key=lambda place: sum(_common(place, other) for other in taken))


def _common(one: Rectangle, other: Rectangle) -> int:
    """Pixels that two rectangles share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, wide) * max(0, high)
