"""What came in, once its kind is known."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from thetool.analyze.decoding import decode
from thetool.analyze.hypertext import is_html, visible_text
from thetool.analyze.kinds import Kind, kind_of
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

    @property
    def title(self) -> str:
        """What people call it: the file's name, else what it is."""
        return self.filename or f"{image_format(self.data[:HEAD])} image"


Content = Text | Image


def content_of(
    data: bytes, media_type: str | None = None, charset: str | None = None, filename: str | None = None
) -> Content:
    """Find out what came in.

    Args:
        data: its bytes.
        media_type: as it was declared, without parameters.
        charset: as it was declared.
        filename: as the sender named it.

    Raises:
        EmptyInput: there is nothing, or nothing to be seen.
        UnsupportedMediaType, UndecodableText: it is of no kind that is analyzed, or contradicts what was declared.
    """
    if not data:
        raise EmptyInput("The content is empty.")
    if kind_of(data, media_type) == "image":
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
