"""Names of files as senders gave them: made harmless when they come, and quoted when they go."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

MAX_CHARACTERS = 200

_not_a_name = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_not_plain = re.compile(r"[^ !#$&+.0-9A-Z^_`a-z|~(),;=@{}\[\]-]")
_media_type = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}(;\s?charset=[a-z0-9_-]{1,40})?", re.I)


def clean_filename(name: str | None) -> str | None:
    """The last part of a path, without control and direction characters, at most 200 long; None if nothing is left."""
    if not name:
        return None
    last = re.split(r"[/\\]", name.encode("utf-8", "replace").decode("utf-8"))[-1]
    kept = _not_a_name.sub("", last).strip(" .")
    if len(kept) > MAX_CHARACTERS:  # the suffix says what it is
        stem, dot, suffix = kept.rpartition(".")
        keep_suffix = f".{suffix}" if stem and dot and len(suffix) <= 20 else ""
        kept = kept[: MAX_CHARACTERS - len(keep_suffix)] + keep_suffix
    return kept or None


def clean_media_type(media_type: str) -> str:
    """The media type when it is one, else `application/octet-stream`."""
    return media_type.lower() if _media_type.fullmatch(media_type) else "application/octet-stream"


def content_disposition(kind: str, name: str | None) -> str:
    """The header's value (RFC 6266): `kind` is `inline` or `attachment`; names beyond ASCII as RFC 8187 has them."""
    if name is None:
        return kind
    without_accents = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = _not_plain.sub("_", without_accents).strip() or "file"
    header = f'{kind}; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"
