"""Photos that this process still has in memory: a job that runs here need not read its own back from storage.

Whoever waits for the answer holds the photo; when nobody does any more, it is gone from here by itself.
"""

from __future__ import annotations

from uuid import UUID
from weakref import WeakValueDictionary

from thetool.analyze.content import Image

_contents: WeakValueDictionary[UUID, Image] = WeakValueDictionary()


def keep(stored: UUID, content: Image) -> None:
    """Remember the content of a stored file for as long as somebody holds it."""
    _contents[stored] = content


def find(stored: UUID) -> bytes | None:
    """The bytes of a stored file, when they are here."""
    content = _contents.get(stored)
    return None if content is None else content.data
