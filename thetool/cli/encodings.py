"""`--encoding`: what the texts that are sent are in."""

from __future__ import annotations

import codecs
from typing import Any

import click

from thetool.text.byte_order import mark_of


class Encoding(click.ParamType[str]):
    """A character set."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name by which every Python knows it."""
        try:
            return codecs.lookup(value).name
        except (LookupError, ValueError):
            self.fail(f"no encoding is called {value!r}.", param, ctx)


def contradiction(content: bytes, encoding: str) -> str | None:
    """What is to be said of a text that tells by itself that it is in another encoding, as the service believes."""
    mark = mark_of(content)
    if mark is None or mark.agrees_with(encoding):
        return None
    return f"It begins with the byte order mark of {mark.encoding}, and is read as that, not as {encoding}."
