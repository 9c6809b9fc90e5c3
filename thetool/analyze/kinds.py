"""What kind of content came in: judged by its bytes; what the caller declared may only agree.

Texts, images and tables are analyzed. What is known to be something else is refused by name.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from thetool.analyze.packed import Inside, inside_gzip, inside_zip
from thetool.analyze.tabular import TABLE_TYPES, ending_of, is_table
from thetool.vision.formats import HEAD, MEDIA_TYPES, described, image_format
from thetool.vision.problems import TAKEN
from thetool.web.problems import UnsupportedMediaType

Kind = Literal["text", "image", "table"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SNIFFED_BYTES = 65_536
"""So many first bytes decide the kind; it is the same whether the rest is there or not."""

ACCEPTED = (
    f"Send an image ({TAKEN.replace(' and ', ' or ')}), a text (plain, Markdown, HTML, source code …), or a table "
    "(CSV, Parquet, Excel, OpenDocument, JSON records)."
)

PARQUET, ZIP, GZIP = "application/vnd.apache.parquet", "application/zip", "application/gzip"

# Beginnings of files that are none of these (Wikipedia, List of file signatures). Some of them are readable characters.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftyp", "video/mp4"),
    (0, b"8BPS\0\1", "image/vnd.adobe.photoshop"),
    (0, b"\0\0\1\0", "image/vnd.microsoft.icon"),
    (0, b"\xff\x0a", "image/jxl"),
    (0, b"\0\0\0\x0cJXL ", "image/jxl"),
    (0, b"\0\0\0\x0cjP  ", "image/jp2"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"ID3\x02", "audio/mpeg"),
    (0, b"ID3\x03", "audio/mpeg"),
    (0, b"ID3\x04", "audio/mpeg"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"PK\x03\x04", ZIP),
    (0, b"PK\x05\x06", ZIP),
    (0, b"\x1f\x8b", GZIP),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"PAR1", PARQUET),
    (0, b"ARROW1\0\0", "application/vnd.apache.arrow.file"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"\0asm", "application/wasm"),
)
_READABLE = {"application/x-bzip2", "application/vnd.apache.parquet", "video/mp4", "image/webp", "audio/wav"}
_READABLE |= {"video/x-msvideo", "image/avif", "image/heic", "image/gif", "image/bmp", "audio/ogg", "audio/flac"}

_CALLED = {
    "audio/wav": "a sound (WAV)",
    "audio/ogg": "a sound or a film (Ogg)",
    "audio/flac": "a sound (FLAC)",
    "audio/mpeg": "a sound (MP3)",
    "video/x-msvideo": "a film (AVI)",
    "video/mp4": "a film (MP4 or QuickTime)",
    "video/webm": "a film (WebM or Matroska)",
    "image/avif": "an AVIF image",
    "image/vnd.adobe.photoshop": "a Photoshop file",
    "image/vnd.microsoft.icon": "an icon (ICO)",
    "image/jxl": "a JPEG XL image",
    "image/jp2": "a JPEG 2000 image",
    "application/pdf": "a PDF",
    "application/rtf": "an RTF document",
    "application/zip": "a ZIP archive that holds no table, or a document that is one inside (Word, EPUB …)",
    "application/x-ole-storage": "an older Office document (of Excel, save it as .xlsx)",
    "application/vnd.sqlite3": "an SQLite database",
    "application/vnd.apache.parquet": "a Parquet table",
    "application/vnd.apache.arrow.file": "an Arrow table",
    "application/x-elf": "a program",
    "application/wasm": "a program (WebAssembly)",
    **{f"application/{name}": "a packed archive" for name in ("gzip", "x-bzip2", "x-xz", "zstd", "x-7z-compressed")},
    "application/vnd.rar": "a packed archive",
    **{media_type: f"a {name} image" for name, media_type in MEDIA_TYPES.items()},
}
"""What people call these; problems carry the media type too, as `found`."""

AN_SVG = described(b"<svg>")
SVG = (
    "This is an SVG, a drawing and not a photo. Save it as a PNG or JPEG, and send that. To have its source read as a "
    "text, paste it as one; in a request, declare it as text/plain."
)
_SAY_NOTHING = ("application/octet-stream", "application/x-www-form-urlencoded", "application/unknown")
"""What clients declare when they do not know; then it is not the caller who contradicts the content."""
_TEXT_LIKE = re.compile(
    r"text/.+|application/(octet-stream|x-www-form-urlencoded|(.+[+])?(json|xml|yaml)|x-(yaml|sh|httpd-php|subrip|tex)"
    r"|json-seq|x-ndjson|ndjson|toml|sql|javascript|ecmascript|csv|unknown)|multipart/.+|message/.+"
)
_IMAGE_LIKE = re.compile(r"image/.+|application/(octet-stream|x-www-form-urlencoded|unknown)|multipart/.+")
_PACKED_TABLE_LIKE = re.compile(
    r"application/(octet-stream|x-www-form-urlencoded|unknown|json|(x-)?g?zip(-compressed)?|x-gzip|(x-|vnd.apache.)?parquet"
    r"|vnd\.ms-excel(\..+)?|vnd\.openxmlformats-officedocument\.spreadsheetml\..+|vnd\.oasis\.opendocument\.spreadsheet)"
    r"|multipart/.+"
)


def kind_of(content: bytes, declared: str | None = None, filename: str | None = None) -> Kind:
    """The kind of `content`.

    Args:
        content: its bytes; the first `SNIFFED_BYTES` are enough, and no more are looked at.
        declared: the media type that came with it, without parameters; None or empty when there was none.
        filename: as the sender named it.

    Raises:
        UnsupportedMediaType: it is known to be of a kind that is not analyzed, or `declared` contradicts it.
    """
    head, whole = content[:SNIFFED_BYTES], len(content) <= SNIFFED_BYTES
    found, declared = media_type_of(head), (declared or "").lower()
    if found in MEDIA_TYPES.values() and (not declared or _IMAGE_LIKE.fullmatch(declared)):
        return "image"  # of whatever format it is declared: a JPEG called .png is an everyday thing
    if found is not None and _is_table_file(found, head, declared, filename):
        return "table"
    if found is not None:
        told = declared and declared not in _SAY_NOTHING
        claimed = f", though it was sent as {declared[:100]}" if told and declared != found else ""
        raise UnsupportedMediaType(f"This is {_CALLED[found]}{claimed}. {ACCEPTED}", found=found, accepted=list(KINDS))
    if not declared.startswith(("text/", "application/xml")) and described(head[:HEAD]) == AN_SVG:
        raise UnsupportedMediaType(SVG, found="image/svg+xml", accepted=list(KINDS))
    if declared and declared not in TABLE_TYPES and not _TEXT_LIKE.fullmatch(declared):
        raise UnsupportedMediaType(
            f"It was sent as {declared[:100]}, but its content is not that. {ACCEPTED}", accepted=list(KINDS)
        )
    return "table" if is_table(head, declared, filename, whole=whole) else "text"


def _is_table_file(found: str, head: bytes, declared: str, filename: str | None) -> bool:
    """Whether a file of a known format is a table, or holds one, and is declared as nothing else."""
    if declared and declared not in TABLE_TYPES and not _PACKED_TABLE_LIKE.fullmatch(declared):
        return False
    if found == PARQUET:
        return True
    inside = inside_zip(head) if found == ZIP else inside_gzip(head) if found == GZIP else Inside("other")
    if inside.sort != "file" or not inside.head:
        return inside.sort == "workbook"
    within = media_type_of(inside.head)
    if within is not None:  # packed once more it may only be a workbook, which is a ZIP by itself
        return within == PARQUET or (within == ZIP and inside_zip(inside.head).sort == "workbook")
    name = filename if found == GZIP and ending_of(filename) else inside.name
    return is_table(inside.head, declared if declared in TABLE_TYPES else "", name, whole=inside.whole)


def media_type_of(content: bytes) -> str | None:
    """What a file with this beginning is, when it is known and is no text."""
    image = image_format(content[:HEAD])
    if image is not None and (MEDIA_TYPES[image] not in _READABLE or _has_controls(content)):
        return MEDIA_TYPES[image]
    for offset, signature, media_type in _SIGNATURES:
        if content.startswith(signature, offset) and (media_type not in _READABLE or _has_controls(content)):
            return media_type
    return None


def _has_controls(content: bytes) -> bool:
    """Whether there are bytes that no text has: then readable beginnings such as `BZh` are no accident."""
    return any(byte < 9 or 13 < byte < 27 for byte in content[:512])
