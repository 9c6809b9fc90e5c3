"""What content is, by its bytes."""

from __future__ import annotations

import pytest

from thetool.analyze.kinds import kind_of, media_type_of
from thetool.web.problems import UnsupportedMediaType

IMAGES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "image/gif": b"GIF89a\x01\0\x01\0",
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "image/tiff": b"II*\0\x08\0\0\0",
    "image/bmp": b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    "image/heic": b"\0\0\0\x18ftypheic\0\0\0\0heicmif1",
}
FILES = {
    "image/avif": b"\0\0\0\x18ftypavif\0\0\0\0avifmif1",
    "image/jxl": b"\xff\x0a\xfa",
    "image/vnd.microsoft.icon": b"\0\0\1\0\1\0",
    "video/mp4": b"\0\0\0\x18ftypisom\0\0",
    "application/pdf": b"%PDF-1.4",
    "application/zip": b"PK\x03\x04\x14\0",
    "application/gzip": b"\x1f\x8b\x08\0",
    "application/x-elf": b"\x7fELF\x02\x01\x01\0",
}


@pytest.mark.parametrize("media_type", FILES)
def test_known_files_are_recognised_and_refused_by_name(media_type: str) -> None:
    assert media_type_of(FILES[media_type]) == media_type
    with pytest.raises(UnsupportedMediaType, match="^This is an? [^/]+ Send an image") as caught:
        kind_of(FILES[media_type])
    assert caught.value.extra["found"] == media_type


@pytest.mark.parametrize("media_type", IMAGES)
@pytest.mark.parametrize("declared", [None, "", "application/octet-stream", "image/jpeg", "IMAGE/PNG", "image/x-any"])
def test_an_image_is_one_whatever_image_it_is_declared_as(media_type: str, declared: str | None) -> None:
    assert media_type_of(IMAGES[media_type]) == media_type
    assert kind_of(IMAGES[media_type], declared) == "image"


@pytest.mark.parametrize("declared", ["text/plain", "application/pdf", "application/json", "video/mp4"])
def test_an_image_declared_as_something_else_is_refused(declared: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=f"This is a PNG image, though it was sent as {declared}"):
        kind_of(IMAGES["image/png"], declared)


SVG = b'\xef\xbb\xbf<?xml version="1.0"?><!-- drawn --><svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.mark.parametrize("declared", [None, "image/svg+xml", "application/octet-stream", "image/png"])
@pytest.mark.parametrize("content", [SVG, b"  <svg>", b" " * 500 + b"<svg>"], ids=["whole", "bare", "far"])
def test_a_drawing_is_no_photo(content: bytes, declared: str | None) -> None:
    with pytest.raises(UnsupportedMediaType, match="declare it as text/plain"):
        kind_of(content, declared)
    assert kind_of(content, "text/plain") == "text"


@pytest.mark.parametrize(
    "content",
    [
        b"BZh is how it begins",
        b"GIF89a is a format",
        b"PAR1 and PAR2",
        b"OggS, said the man",
        b"BM is a code",
        b"II* is a title",
        b"ID3 tags",
        b"a,b\n1,2\n",
        b"",
    ],
)
def test_texts_that_begin_like_files_are_texts(content: bytes) -> None:
    assert media_type_of(content) is None
    assert kind_of(content) == "text"


@pytest.mark.parametrize(
    "declared",
    [
        None, "", "text/plain", "text/html", "text/x-anything", "application/octet-stream", "TEXT/PLAIN",
        "application/json", "application/ld+json", "application/xml",
    ],
)  # fmt: skip
def test_a_text_may_be_declared_as_any_text(declared: str | None) -> None:
    assert kind_of(b"some text", declared) == "text"


@pytest.mark.parametrize(
    "declared", ["image/png", "application/pdf", "audio/mpeg", "video/mp4", "application/zip", "nonsense"]
)
def test_a_text_declared_as_something_else_is_refused(declared: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="its content is not that"):
        kind_of(b"some text", declared)
