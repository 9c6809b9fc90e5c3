"""The text that a reader of an HTML page sees, without tags, styles and scripts.

Each expression passes over a character once, whatever is left unclosed.
"""

from __future__ import annotations

import html
import re

MOST_CHARACTERS = 2_000_000
"""A longer page is read as it is: taking it apart would keep every other thread of the process waiting."""

MEDIA_TYPES = frozenset(("text/html", "application/xhtml+xml"))

_begins = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE).match
_white = re.compile(r"[ \t\n\r\f]+")
# Never shown; or a tag, in which a value in quotation marks may hold ">". What is not closed goes on to the end.
_markup = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(script|style|template)\b[^>]*+(?:>.*?(?:</\1\b[^>]*+(?:>|\Z)|\Z)|\Z)"
    r"""|</?([a-z][a-z0-9]*)(?>=\s?"[^"]*+"|=\s?'[^']*+'|[^>])*+(?:>|\Z)"""
    r"|<[!?/][^>]*+(?:>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_space = re.compile(r"[ \n]+")
_LINES = frozenset(("br", "li", "tr", "dt", "dd", "option"))
_CELLS = frozenset(("td", "th"))
_is_paragraph = re.compile(
    "address|article|aside|blockquote|body|caption|div|dl|fieldset|figcaption|figure|footer|form|h[1-6]|head|header|hr"
    "|html|main|nav|ol|p|pre|section|table|title|ul"
).fullmatch


def is_html(text: str, media_type: str | None) -> bool:
    """Whether it is declared as HTML, or begins so and is not declared as a plain text; and not too long."""
    if len(text) > MOST_CHARACTERS:
        return False
    declared = (media_type or "").lower()
    return declared in MEDIA_TYPES or (declared != "text/plain" and _begins(text) is not None)


def visible_text(source: str) -> str:
    """What a page shows: blocks are paragraphs, items and rows are lines; the title comes first."""
    shown = _markup.sub(_gap, _white.sub(" ", source))
    return html.unescape(_space.sub(_one_gap, shown)).strip()


def _gap(markup: re.Match[str]) -> str:
    name = (markup[2] or "").lower()
    return "\n\n" if _is_paragraph(name) else "\n" if name in _LINES else " " if name in _CELLS else ""


def _one_gap(gap: re.Match[str]) -> str:
    lines = gap[0].count("\n")
    return " " if lines == 0 else "\n" if lines == 1 else "\n\n"
