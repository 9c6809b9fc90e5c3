"""Drawing what was found over a photo."""

from __future__ import annotations

from collections.abc import Iterable

from thetool.vision.photo import Photo

MEDIA_TYPE = "image/jpeg"
Mark = tuple[str, tuple[float, float, float, float]]
"""What to write, and the box in pixels of the upright full-size image."""


def annotated(photo: Photo, marks: Iterable[Mark]) -> bytes:
    """A JPEG of the photo with a box and a word for each mark, as large as `photo.pixels`, with no metadata."""
    raise NotImplementedError
