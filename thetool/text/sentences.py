"""Splitting a text into sentences, in time that grows with its length whatever it holds.

A sentence ends
- at `.`, `!`, `?` or their like in other scripts, with the quotes and brackets that close after it, before a blank;
  the full-width ones of Chinese and Japanese need no blank;
- at an empty line, a page break or a paragraph separator; before a line that begins as an item of a list;
- at a line end, but for one at which prose is only wrapped (`thetool.text.layout` judges that by the whole text).

A full stop after a title, an initial or an abbreviation ends none (`Dr. Who`, `J. R. R. Tolkien`, `e.g. this`), after
some abbreviations only where no small letter follows (`Acme Inc. They …`). What holds no letter or digit belongs to the
sentence before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from thetool.text.layout import Layout, layout_of
from thetool.text.watching import Watch, unwatched

Span = tuple[int, int]
"""Start and end of a piece of text, in characters, as for slicing."""

_WIDE_STOPS = "。！？｡．︒﹒﹗﹖"
_STOPS = ".!?…‼⁇⁈⁉؟۔।॥၊။።፧፨՜՞։៕᠃᠉"
_CLOSERS = "\"'”“’»›)\\]}）］｝」』】〉》〕"

_DEEPEST_INDENT = 8
_end = re.compile(
    rf"(?P<gap>(?:\n[^\S\n]*\n|[\f\u2029])\s*|\n(?=[^\S\n]{{0,{_DEEPEST_INDENT}}}(?:[-*•‣–—]|\d{{1,3}}[.)])\s))"
    rf"|(?P<line>\n)"
    rf"|(?P<stop>[{_STOPS}{_WIDE_STOPS}]+[{_CLOSERS}]*)"
)
_word_character = re.compile(r"[^\W_]")
_visible = re.compile(r"\S")
_last_word = re.compile(r"[^\s(\[{\"'“‘«]+\Z")
_inner_stops = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")

_TITLES = """
    mr mrs ms dr prof rev hon st gen col capt lt sgt gov sen rep pres mt messrs mme mlle fig figs eq vs cf approx eg ie
    e.g i.e viz al bzw z.b d.h u.a ca nr hr fr herr dipl ing sig
"""
_ABBREVIATIONS = """
    etc inc ltd co corp jr sr no vol pp ed eds dept est ave blvd rd jan feb mar apr jun jul aug sep sept oct nov dec
    mon tue wed thu fri sat sun min max usw
"""
_NEVER_LAST = frozenset(_TITLES.split())
_MAYBE_LAST = frozenset(_ABBREVIATIONS.split())
_LONGEST_ABBREVIATION = 12
_WATCH_EVERY = 10_000


def sentences(text: str, watch: Watch = unwatched, layout: Layout | None = None) -> Iterator[Span]:
    """Yield the sentences of `text` in order, without the blanks around them.

    Nothing but blanks lies between them. A text with no letter or digit is one sentence; blanks alone are none.
    `watch` is told how far into the text the splitting is; `layout` is the text's, when it is known already.
    """
    pending: Span | None = None
    for number, (start, end) in enumerate(_pieces(text, layout or layout_of(text)), 1):
        if number % _WATCH_EVERY == 0:
            watch(end / len(text))
        if pending is None:
            pending = (start, end)
        elif _word_character.search(text, start, end) is None:
            pending = (pending[0], end)
        else:
            yield pending
            pending = (start, end)
    if pending is not None:
        yield pending


def windows(text: str, span: Span, longest: int) -> Iterator[Span]:
    """Cut a span into pieces of at most `longest` characters, at blanks where there are some."""
    start, end = span
    while end - start > longest:
        cut = max(text.rfind(blank, start + 1, start + longest) for blank in " \n\t")
        cut = cut if cut > start else start + longest
        yield start, cut
        start = cut
    if start < end:
        yield start, end


def _pieces(text: str, layout: Layout) -> Iterator[Span]:
    """Everything that lies between two ends, blanks around it and empty pieces left out."""
    start = 0
    for found in _end.finditer(text):
        if found["gap"] is not None:
            end = found.start()
        elif found["line"] is not None:
            end = found.start()
            if not layout.line_ends_sentence(text, end):
                continue
        elif _ends_sentence(text, found.start(), found.end()):
            end = found.end()
        else:
            continue
        yield from _trimmed(text, start, end)
        start = found.end()
    yield from _trimmed(text, start, len(text))


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    visible = _visible.search(text, start, end)
    if visible is not None:
        yield visible.start(), visible.start() + len(text[visible.start() : end].rstrip())


def _ends_sentence(text: str, start: int, end: int) -> bool:
    if any(character in _WIDE_STOPS for character in text[start : start + 3]):
        return True
    if end < len(text) and not text[end].isspace():
        return False
    return text[start:end] != "." or not _abbreviates(text, start, end)


def _abbreviates(text: str, stop: int, end: int) -> bool:
    """Whether the full stop at `stop` marks an abbreviation and ends no sentence."""
    found = _last_word.search(text, max(0, stop - _LONGEST_ABBREVIATION), stop)
    if found is None or (found.start() and found.start() == stop - _LONGEST_ABBREVIATION):
        return False
    word = found[0]
    small = word.lower()
    if word.isdecimal():
        return _numbers_item(text, found.start(), stop)
    if small in _NEVER_LAST or (len(word) == 1 and word.isupper() and word != "I"):
        return True
    if small in _MAYBE_LAST or _inner_stops.fullmatch(word):
        following = _visible.search(text, end, end + 100)
        return following is not None and not following[0].isupper()
    return False


def _numbers_item(text: str, start: int, stop: int) -> bool:
    """Whether a number begins its line, as that of an item in a list."""
    before = text[max(0, start - _DEEPEST_INDENT - 1) : start].rstrip(" \t")
    return stop - start <= 3 and (before.endswith("\n") or (not before and start <= _DEEPEST_INDENT))
