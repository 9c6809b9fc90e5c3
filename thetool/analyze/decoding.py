"""Turning bytes into text: never by guessing where a wrong guess would go unnoticed.

In this order: a byte order mark, the declared character set, UTF-8, UTF-16 without a mark, and at last an older
encoding, when one alone fits.
"""

from __future__ import annotations

import codecs

from thetool.text import older_encodings
from thetool.text.byte_order import mark_of, utf_16_of
from thetool.web.problems import Problem, UnsupportedMediaType


class UndecodableText(Problem):
    """The bytes are no text in an encoding that can be told for certain."""

    status = 422
    code = "undecodable_text"
    title = "The text cannot be decoded"


HOW_TO = "Save it as UTF-8, or name its encoding (Content-Type: text/plain; charset=windows-1252, say)."
NO_TEXT = (
    "This is neither a text nor an image that is known here (it holds NULs, which no text does). "
    "The file may be damaged, or of another kind than its name says."
)

_NO_CHARACTER_SETS = frozenset(("idna", "punycode", "raw_unicode_escape", "unicode_escape", "utf_7"))


def decode(content: bytes, charset: str | None = None) -> str:
    """The text that `content` holds, with no byte left out.

    Args:
        content: any bytes.
        charset: the declared character set, if there was one.

    Returns:
        Text without a byte order mark, NUL or lone surrogate.

    Raises:
        UndecodableText: it fits no encoding, or several.
        UnsupportedMediaType: it has NULs and is no UTF-16: that is no text at all.
    """
    mark = mark_of(content)
    if mark is not None:
        return _checked(_strictly(content[len(mark.start) :], mark.encoding, "its byte order mark says"))
    if charset:
        return _checked(_strictly(content, _known(charset), "its Content-Type says"))
    try:
        return _checked(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        text = _utf_16(content) or _older(content)
        if text is None:
            raise UndecodableText(f"It is not UTF-8 ({error.reason} at byte {error.start}). {HOW_TO}") from error
        return text


def _strictly(content: bytes, encoding: str, why: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        told = f"It is not {encoding}, as {why} ({error.reason} at byte {error.start})."
        raise UndecodableText(f"{told} {HOW_TO}") from error


def _known(charset: str) -> str:
    """Python's name of a character set; not of its other codecs, which unpack archives and the like."""
    try:
        found = codecs.lookup(charset)
    except (LookupError, ValueError) as error:
        raise UndecodableText(f"No character set is called {charset[:50]!r}. {HOW_TO}") from error
    if not found._is_text_encoding or found.name.replace("-", "_") in _NO_CHARACTER_SETS:
        raise UndecodableText(f"{charset[:50]!r} is not a character set of texts. {HOW_TO}")
    return found.name


def _checked(text: str) -> str:
    """The text when it has no NUL; a text with NULs is UTF-16 that was not seen to be that, or no text."""
    if "\0" not in text:
        return text
    as_utf_16 = _utf_16(text.encode("latin-1")) if text.isascii() else None
    if as_utf_16 is None:
        raise UnsupportedMediaType(NO_TEXT)
    return as_utf_16


def _utf_16(content: bytes) -> str | None:
    """UTF-16 without a mark, seen by the NULs that every second byte of mostly Latin text is."""
    if len(content) % 2:
        return None
    encoding = utf_16_of(content)
    if encoding is None:
        return None
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _older(content: bytes) -> str | None:
    if b"\0" in content:
        raise UnsupportedMediaType(NO_TEXT)
    return older_encodings.decode(content)
