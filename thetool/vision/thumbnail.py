"""Small pictures of photos."""

from __future__ import annotations

import io

from thetool.vision.photo import Photo

MEDIA_TYPE = "image/jpeg"
LONGEST = 320
_QUALITY = 80


def thumbnail(photo: Photo, longest: int = LONGEST) -> bytes:
    """A JPEG of the photo, its longer side at most `longest` pixels, with no metadata."""
    from PIL import Image

    image = Image.fromarray(photo.pixels)
    image.thumbnail((longest, longest), Image.Resampling.HAMMING, reducing_gap=1.0)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
