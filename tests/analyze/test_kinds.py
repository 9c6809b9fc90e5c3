"""What content is, by its bytes."""

from __future__ import annotations

import pytest

from thetool.analyze.kinds import kind_of, media_type_of
from thetool.web.problems import UnsupportedMediaType

FILES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "image/gif": b"GIF89a\x01\0\x01\0",
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "image/tiff": b"II*\0\x08\0\0\0",
    "image/heic": b"\0\0\0\x18ftypheic\0\0",
    "video/mp4": b"\0\0\0\x18ftypisom\0\0",
    "application/pdf": b"%PDF-1.4",
    "application/zip": b"PK\x03\x04\x14\0",
    "application/gzip": b"\x1f\x8b\x08\0",
    "application/vnd.apache.parquet": b"PAR1\x15\x04",
    "application/x-elf": b"\x7fELF\x02\x01\x01\0",
}


@pytest.mark.parametrize("media_type", FILES)
def test_known_files_are_recognised_and_refused_by_name(media_type: str) -> None:
    assert media_type_of(FILES[media_type]) == media_type
    with pytest.raises(UnsupportedMediaType, match=media_type):
        kind_of(FILES[media_type])


@pytest.mark.parametrize(
    "content",
    [
        b"BZh is how it begins",
        b"GIF89a is a format",
        b"PAR1 and PAR2",
        b"OggS, said the man",
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
        None, "", "text/plain", "text/csv", "text/html", "text/x-anything", "application/octet-stream", "TEXT/PLAIN",
        "application/json", "application/ld+json", "application/xml", "image/svg+xml", "application/x-ndjson",
    ],
)  # fmt: skip
def test_a_text_may_be_declared_as_any_text(declared: str | None) -> None:
    assert kind_of(b"some text", declared) == "text"


@pytest.mark.parametrize(
    "declared", ["image/png", "application/pdf", "audio/mpeg", "video/mp4", "application/zip", "nonsense"]
)
def test_a_text_declared_as_something_else_is_refused(declared: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="is not that by its content"):
        kind_of(b"some text", declared)
