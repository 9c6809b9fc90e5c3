"""What came in, once its kind is known."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import IO, Any, ClassVar, cast

from thetool.analyze.decoding import decode
from thetool.analyze.hypertext import is_html, visible_text
from thetool.analyze.kinds import SNIFFED_BYTES, Kind, kind_of
from thetool.analyze.tabular import TABLE_TYPES
from thetool.vision.formats import HEAD, image_format
from thetool.web.problems import Problem

TITLE_CHARACTERS = 60

_invisible = re.compile(r"[\s\ufeff\u200b\u2060]*")


class EmptyInput(Problem):
    """There is nothing to analyze."""

    status = 422
    code = "empty_input"
    title = "There is nothing to analyze"


@dataclass(frozen=True, eq=False)
class Text:
    """A text, and the name of its file, if it came as one; `from_html`: it is what a page shows."""

    text: str
    filename: str | None = None
    from_html: bool = False
    kind: ClassVar[Kind] = "text"

    @cached_property
    def data(self) -> bytes:
        """It in UTF-8."""
        return self.text.encode()

    @cached_property
    def sha256(self) -> bytes:
        """Of its bytes."""
        return hashlib.sha256(self.data).digest()

    @property
    def title(self) -> str:
        """What people call it: the file's name, else how it begins."""
        if self.filename:
            return self.filename
        beginning = " ".join(self.text[: 4 * TITLE_CHARACTERS].split())
        return beginning if len(beginning) <= TITLE_CHARACTERS else f"{beginning[: TITLE_CHARACTERS - 1].rstrip()}…"


@dataclass(frozen=True, eq=False)
class Image:
    """The file of an image: its bytes as they came, not decoded yet."""

    data: bytes
    filename: str | None = None
    kind: ClassVar[Kind] = "image"

    @cached_property
    def sha256(self) -> bytes:
        """Of its bytes."""
        return hashlib.sha256(self.data).digest()

    @property
    def title(self) -> str:
        """What people call it: the file's name, else what it is."""
        return self.filename or f"{image_format(self.data[:HEAD])} image"


@dataclass(frozen=True, eq=False)
class Table:
    """The file of a table as it came, not read yet: it may be too large for memory.

    Args:
        file: open for reading, anywhere; whoever uses it goes to its beginning first.
        filename: as the sender named it.
        charset: as it was declared, if it was.
    """

    file: IO[bytes]
    filename: str | None = None
    charset: str | None = None
    kind: ClassVar[Kind] = "table"

    @property
    def data(self) -> IO[bytes]:
        """Its bytes, as a file at its beginning."""
        self.file.seek(0)
        return self.file

    @cached_property
    def sha256(self) -> bytes:
        """Of its bytes."""
        return hashlib.file_digest(cast(Any, self.data), "sha256").digest()

    @property
    def title(self) -> str:
        """What people call it: the file's name, if there is one."""
        return self.filename or "A table"


Content = Text | Image | Table


def content_of(
    file: IO[bytes], media_type: str | None = None, charset: str | None = None, filename: str | None = None
) -> Content:
    """Find out what came in. A table keeps the file; of anything else all is read.

    Args:
        file: its bytes, at their beginning; it can be read anew.
        media_type: as it was declared, without parameters.
        charset: as it was declared.
        filename: as the sender named it.

    Raises:
        EmptyInput: there is nothing, or nothing to be seen.
        UnsupportedMediaType, UndecodableText: it is of no kind that is analyzed, or contradicts what was declared.
    """
    head = file.read(SNIFFED_BYTES + 1)
    if not head:
        raise EmptyInput("The content is empty.")
    kind = kind_of(head, media_type, filename)
    if kind == "table":
        said = (media_type or "").lower() in TABLE_TYPES  # JSON and what is binary have no character set to choose
        return Table(file, filename, charset if said else None)
    data = head + file.read()
    if kind == "image":
        return Image(data, filename)
    text = decode(data, charset)
    if is_html(text, media_type):
        return replace(visible(visible_text(text), filename), from_html=True)
    return visible(text, filename)


def visible(text: str, filename: str | None = None) -> Text:
    """The text, when there is something to see in it; raises EmptyInput."""
    if _invisible.fullmatch(text):
        raise EmptyInput("The text is empty." if not text else "The text holds blanks only.")
    return Text(text, filename)
