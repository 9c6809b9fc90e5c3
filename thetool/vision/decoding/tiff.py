"""TIFF files whose pixels are stored in a way that Pillow does not read. Runs in the decoder's child."""

from __future__ import annotations

import io
import struct

from PIL import TiffImagePlugin

_BITS, _CHANNELS, _NUMBERS = 258, 277, 339  # tags: BitsPerSample, SamplesPerPixel, SampleFormat
_BIG = 43  # the version of BigTIFF, whose header is longer
_FLOATING_POINT = 3
_READ_BITS = 16
_FLOAT_BITS = 32


def unread_pixels(content: bytes) -> str | None:
    """How a TIFF stores its pixels, where nothing here reads such; None: that is not why it cannot be read."""
    try:
        directory = TiffImagePlugin.ImageFileDirectory_v2(content[: 16 if _BIG in content[2:4] else 8])
        file = io.BytesIO(content)
        file.seek(directory.next)
        directory.load(file)
        bits, channels = max(_all(directory, _BITS)), _all(directory, _CHANNELS)[0]
        floating = _FLOATING_POINT in _all(directory, _NUMBERS)
    except (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, struct.error):
        return None
    if bits <= _READ_BITS and not floating or channels == 1 and floating and bits == _FLOAT_BITS:
        return None
    of = "one channel" if channels == 1 else f"{channels} channels"
    return f"{of} of {bits}-bit {'floating-point' if floating else 'whole'} numbers"


def _all(directory: TiffImagePlugin.ImageFileDirectory_v2, tag: int) -> tuple[int, ...]:
    """The numbers of a tag; it is 1 where it is not there."""
    value = directory.get(tag, 1)
    return tuple(map(int, value)) if isinstance(value, tuple) else (int(value),)
