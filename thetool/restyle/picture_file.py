"""The result's file: a picture that says of itself that a model made it, how, and from what words."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from thetool import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

MEDIA_TYPE = "image/jpeg"
EXACT_MEDIA_TYPE = "image/png"
MOST_METADATA = 60_000
"""Characters: the part of a JPEG that they are in has at most 65,533 bytes."""
_QUALITY = 95
_THUMBNAIL = (480, 360)
_DESCRIPTION, _SOFTWARE, _EXIF, _COMMENT = 0x010E, 0x0131, 0x8769, 0x9286
# IPTC's word for what a model made of a photo: https://cv.iptc.org/newscodes/digitalsourcetype/
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType='
    '"http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"/></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)


def picture_file(pixels: Pixels, metadata_json: str, description: str, *, exact: bool = False) -> bytes:
    """A picture of (height, width, 3), RGB, with the metadata as EXIF UserComment (JSON) and IPTC's mark in XMP.

    A JPEG; a PNG where it is to be `exact`.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    exif = Image.Exif()
    exif[_DESCRIPTION] = description.encode("ascii", "replace").decode()
    exif[_SOFTWARE] = f"TheTool {__version__}"
    exif.get_ifd(_EXIF)[_COMMENT] = b"ASCII\0\0\0" + metadata_json.encode("ascii")
    file, image = io.BytesIO(), Image.fromarray(pixels)
    if exact:
        about = PngInfo()
        about.add_itxt("XML:com.adobe.xmp", _XMP)
        image.save(file, "PNG", exif=exif, pnginfo=about)
    else:
        image.save(file, "JPEG", quality=_QUALITY, exif=exif, xmp=_XMP.encode())
    return file.getvalue()


def metadata_in(content: bytes) -> str | None:
    """The JSON that `picture_file` wrote into a file; None where there is none."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        comment = image.getexif().get_ifd(_EXIF).get(_COMMENT)
    if not isinstance(comment, bytes) or not comment.startswith(b"ASCII\0\0\0"):
        return None
    return comment[8:].decode("ascii")


def jpeg(pixels: Pixels, quality: int = 90) -> bytes:
    """A JPEG of (height, width, 3), RGB."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def thumbnail_file(pixels: Pixels) -> bytes:
    """A JPEG of at most 480 × 360 pixels."""
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail(_THUMBNAIL, Image.Resampling.LANCZOS, reducing_gap=2.0)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


def map_file(pixels: Pixels) -> bytes:
    """A PNG of a map (height, width)."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
