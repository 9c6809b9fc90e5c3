"""Small pictures of photos."""

from __future__ import annotations

from thetool.vision.photo import Photo

MEDIA_TYPE = "image/jpeg"
LONGEST = 320


def thumbnail(photo: Photo, longest: int = LONGEST) -> bytes:
    """A JPEG of the photo, its longer side at most `longest` pixels, with no metadata."""
    raise NotImplementedError
