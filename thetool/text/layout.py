"""What a text looks like, judged by a sample of its lines: prose, lines that stand for themselves, or no prose at all.

It decides what a line end means. In prose wrapped at some column it means nothing: the next word just did not fit. In
a log, a table or a list it ends a sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Form = Literal["prose", "lines", "log", "table", "json", "code"]
NO_PROSE: frozenset[Form] = frozenset({"log", "table", "json", "code"})

_SLICES, _SLICE = 12, 8_192
"""So many pieces of a long text, of so many characters each, are looked at."""
_NARROWEST, _WIDEST = 24, 200
"""Columns at which people wrap texts."""
_SLACK = 0.85
"""People who wrap by hand stay that far below the column."""
_FEW = 5

_first_word = re.compile(r"[> \t]{0,40}(\S{1,40})")
_item = re.compile(r"\s*(?:[-*•‣–—#|>]|\d{1,3}[.)])\s")
_end_of_sentence = re.compile(r"[.!?…:。！？؟।][\"'”’»)\]]*\s*\Z")

_log_line = re.compile(
    r".{0,40}?(?:\b\d{4}[-/.]\d\d[-/.]\d\d[T ,]\s?\d\d:\d\d|\b\d\d:\d\d:\d\d\b|\b\d\d/[A-Z][a-z]{2}/\d{4}:)"
    r"|\s*[\[<(]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE)\b[\])>:\s]"
    r"|\s*\[?\d{10}(?:\d{3}|\.\d+)?\]?\s"
    r"|\s*(?:[\w.]+=(?:\"[^\"]*\"|\S+)\s+){2}"
)
_goes_on = re.compile(r"\s+\S|Caused by: |Traceback ")
_code_line = re.compile(
    r".*[;{}]\s*(?://.*|#.*)?\Z"
    r"|\s*(?:def|class|elif|else|try|except|finally|import|async def|fn|func|function|const|let|var|public|private|"
    r"protected|static|void|package|using|namespace|struct|enum|interface|export|#include|#define|@\w+)\b.*[\w:({,)=>\"']\Z"
    r"|\s*(?:if|for|while|with)\b.*[:{]\Z|\s*from [\w.]+ import\b|\s*return\b[^.]*\Z|\s*(?://|/\*|\*/|#!)"
    r"|\s*[\w.\[\]\"']+(?:: [\w\[\], |.\"]+)?\s(?:[-+*/|&:]?=|=>|->)\s.+|\s*[\w.]+\(.*\)?[,:]?\Z|\s*[\])}]+[,;:]?\Z"
)
_documentation = re.compile(r"(\"\"\"|''')(?:(?!\1).|\n)*+\1")
_comment = re.compile(r"\s*(?:#|//|\*|/\*)")
_json_begins = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*(?:[\"\[{\]-]|\d+\s*[,\]]|true\b|false\b|null\b))")
_quoted = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Layout:
    """The form of a text, and the column at which it is wrapped, if it is."""

    form: Form
    width: int | None = None

    def line_ends_sentence(self, text: str, end: int) -> bool:
        """Whether the line end at `end`, which has visible text on both sides, ends a sentence."""
        if self.form != "prose":
            return True
        line = text[text.rfind("\n", 0, end) + 1 : end].rstrip()
        following = _first_word.match(text, end + 1)
        if following is None:
            return True
        if self.width is not None and len(line) + 1 + len(following[1]) > self.width:
            return False
        return not following[1][0].islower()


PLAIN = Layout("prose")


def layout_of(text: str) -> Layout:
    """What `text` looks like; looks at a bounded part of a long one."""
    if _json_begins.match(text) and text[-200:].rstrip()[-1:] in ("}", "]"):
        return Layout("json")
    if "\n" not in text:
        return PLAIN
    slices = [part.split("\n") for part in _slices(text)]
    lines = [line for part in slices for line in part if line and not line.isspace()]
    return _no_prose(lines) or _prose(slices)


def _slices(text: str) -> list[str]:
    """All of a short text; of a long one pieces spread over it, cut at line ends where there are some."""
    if len(text) <= _SLICES * _SLICE:
        return [text]
    step = (len(text) - _SLICE) // (_SLICES - 1)
    found = []
    for start in range(0, step * _SLICES, step):
        part = text[start : start + _SLICE]
        found.append(part[part.find("\n") + 1 : part.rfind("\n")] if part.count("\n") > 1 else part)
    return found


def _no_prose(lines: Sequence[str]) -> Layout | None:
    number = len(lines)
    if number < 2:
        return None
    if sum(line.lstrip()[:1] == "{" and line.rstrip()[-1:] == "}" and '"' in line for line in lines) >= 0.9 * number:
        return Layout("json")
    if (logged := sum(_log_line.match(line) is not None for line in lines)) >= 0.2 * number:
        going_on = sum(_goes_on.match(line) is not None for line in lines)
        if logged + going_on >= 0.5 * number:
            return Layout("log")
    if _is_table(lines):
        return Layout("table")
    return Layout("code") if is_code(lines) else None


def is_code(lines: Sequence[str]) -> bool:
    """Whether half of what is neither a comment nor inside a documentation string is as in a program."""
    bare = _documentation.sub("", "\n".join(lines)).split("\n")
    bare = [line[:500] for line in bare if line.strip() and not _comment.match(line)]
    return len(bare) > 2 and sum(_code_line.match(line) is not None for line in bare) >= 0.5 * len(bare)


def _is_table(lines: Sequence[str]) -> bool:
    """Whether nearly all lines have the same number of the same separator."""
    unquoted = [_quoted.sub("", line) for line in lines]
    for separator in "\t;,|":
        counts = Counter(line.count(separator) for line in unquoted)
        columns, often = counts.most_common(1)[0]
        if not columns or often < 0.9 * len(lines):
            continue
        if separator in "\t|":
            return columns > 1 or len(lines) > 2
        # In prose a blank follows a comma; a table of two lines must not have one at all.
        followed = sum(line.count(f"{separator} ") for line in unquoted) / (columns * often)
        if followed <= (0 if len(lines) < _FEW or columns == 1 else 0.5):
            return True
    return False


def _prose(slices: Sequence[Sequence[str]]) -> Layout:
    pairs = [
        (before.rstrip(), word[1])
        for part in slices
        for before, after in pairwise(part)
        if before.strip() and not _item.match(after) and (word := _first_word.match(after))
    ]
    if not pairs:
        return PLAIN
    width = _width(pairs)
    if width is not None:
        return Layout("prose", width)
    small = sum(word[0].islower() for _, word in pairs) / len(pairs)
    apart = (small <= 0.3 and len(pairs) > 2) or (small >= 0.95 and len(pairs) >= _FEW)  # the rest: verses, addresses
    return Layout("lines") if apart else PLAIN


def _width(pairs: Sequence[tuple[str, str]]) -> int | None:
    """The column at which the text is wrapped: most line ends are where the next word would have gone beyond it."""
    lengths = sorted(len(line) for line, _ in pairs)
    widest = lengths[min(len(lengths) - 1, int(0.95 * len(lengths)))]
    spaced = sum(" " in line or not line.isascii() for line, _ in pairs)  # Chinese has no blanks
    if not _NARROWEST <= widest <= _WIDEST or 2 * spaced < len(pairs):
        return None
    width = int(widest * _SLACK)
    forced = [(line, word) for line, word in pairs if len(line) + 1 + len(word) > width]
    if len(forced) < 0.6 * len(pairs):
        return None
    inside = [word for line, word in forced if not _end_of_sentence.search(line[-20:])]
    cased = [word for word in inside if word[0].islower() or word[0].isupper()]
    if len(forced) >= _FEW and len(inside) < 0.4 * len(forced):
        return None  # lines of one length that are sentences each
    if len(cased) >= _FEW and sum(word[0].islower() for word in cased) < 0.4 * len(cased):
        return None  # titles, addresses: hardly any goes on in the middle of a sentence
    return width
