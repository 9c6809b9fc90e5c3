"""What a file is, by its first bytes."""

from __future__ import annotations

import pytest

from tests.vision.pictures import encoded, photo
from thetool.vision.formats import HEAD, described, image_format


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF"])
def test_known(name: str) -> None:
    assert image_format(encoded(photo(40, 30), name.upper())[:HEAD]) == name


def test_heic_and_its_relatives() -> None:
    assert image_format(b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf") == "HEIC"
    assert image_format(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf") == "HEIC"
    avif = b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf"
    assert (image_format(avif), described(avif)) == (None, "an AVIF image")
    assert described(b"\0\0\0\x18ftypisom\0\0\0\0isommp42") == "a film"


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "empty"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PK\x03\x04\x14", "a ZIP archive, or a document that is one inside"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg">', "an SVG drawing"),
        (b"\xef\xbb\xbf <svg>", "an SVG drawing"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"BM is how this text begins, which is no bitmap", "no image"),
        (b"\xff\xd8", "no image"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a sound or a film"),
    ],
    ids=["empty", "pdf", "zip", "svg", "svg-bom", "html", "bm-text", "short", "wav"],
)
def test_others(head: bytes, words: str) -> None:
    assert image_format(head) is None
    assert described(head) == words
