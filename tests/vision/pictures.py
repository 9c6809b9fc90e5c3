"""Image files that the tests make: sound ones, and such as nobody's camera makes."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from pillow_heif import register_heif_opener

register_heif_opener()  # to write HEIC here; the decoder's child does so for itself

RED, WHITE, BLUE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 255), (0, 0, 0)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def scene(width: int = 640, height: int = 480, *, blur: float = 0, noise: float = 0) -> NDArray[np.uint8]:
    """Bright shapes on a grey ground, with edges as sharp as pixels allow; always the same ones."""
    chance = np.random.default_rng(1)
    image = Image.new("RGB", (2 * width, 2 * height), (120, 130, 140))
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y = (int(chance.integers(0, 2 * side)) for side in (width, height))
        wide, high = chance.integers(width // 20, width // 2, 2).tolist()
        shape = draw.ellipse if chance.random() < 0.5 else draw.rectangle
        shape((x, y, x + wide, y + high), fill=tuple(chance.integers(20, 240, 3).tolist()))
    image = image.resize((width, height), Image.Resampling.BOX)
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    values = np.asarray(image) + chance.normal(0, noise, (height, width, 1)) if noise else np.asarray(image)
    return values.clip(0, 255).astype(np.uint8)


def photo(width: int = 640, height: int = 480) -> Image.Image:
    """The scene as an image."""
    return Image.fromarray(scene(width, height))


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, bits: int = 8, colour: int = 0, rows: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG put together by hand: `colour` 0 is grey, 2 RGB, 6 RGBA; each of the rows begins with a zero byte."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )


def tiff(values: NDArray[Any], pages: int = 1) -> bytes:
    """A TIFF of numbers as they are, height × width × channels, put together by hand; each page is the same."""
    height, width, channels = values.shape
    kind = 3 if values.dtype.kind == "f" else 1
    file, link = bytearray(b"II*\0" + bytes(4)), 4
    for _ in range(pages):
        data = len(file)
        file += values.tobytes()
        lists = len(file)
        file += struct.pack(f"<{channels}H", *[8 * values.dtype.itemsize] * channels)
        file += struct.pack(f"<{channels}H", *[kind] * channels)
        struct.pack_into("<I", file, link, len(file))
        bits, numbers = (lists, lists + 2 * channels) if channels > 2 else (8 * values.dtype.itemsize, kind)
        tags = [
            (256, 1, width),
            (257, 1, height),
            (258, channels, bits),
            (259, 1, 1),
            (262, 1, 2 if channels > 2 else 1),
        ]
        tags += [
            (273, 1, data),
            (277, 1, channels),
            (278, 1, height),
            (279, 1, values.nbytes),
            (339, channels, numbers),
        ]
        file += struct.pack("<H", len(tags))
        for tag, count, value in tags:
            file += struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, count, value)
        link = len(file)
        file += bytes(4)
    return bytes(file)


def slow_png() -> bytes:
    """90 megapixels in black and white: a small file that takes about a second."""
    return png(40_000, 2_250, bits=1, rows=b"\0" * (5_001 * 2_250))
