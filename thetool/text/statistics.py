"""Counting a text. The definitions are those of the fields below; words are as in Unicode's annex 29, simplified.

A word is a run of letters, digits and the marks that combine with them. An apostrophe between letters and a point or
comma between digits belong to it (`don't`, `3.14`), a hyphen parts it. Chinese characters and hiragana are one word
each, because no blank says where words end; Thai, Lao, Khmer and Burmese need a dictionary, so that there a run without
blanks counts as one word.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from pydantic import BaseModel, Field

from thetool.text.layout import Form, Layout, layout_of
from thetool.text.sentences import sentences
from thetool.text.watching import Watch, part_of, unwatched

WORDS_A_MINUTE = 238
CHARACTERS_A_MINUTE = 390
_WATCH_EVERY = 20_000
_SLICE = 65_536

_ONE_EACH = "\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_paragraph = re.compile(r"(?:\n[^\S\n]*\n|[\f\u2029])\s*(?=\S)")
_line = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


class LongestSentence(BaseModel):
    """The sentence with the most words; the first one where several have as many."""

    words: int = Field(ge=0, description="Its words.")
    characters: int = Field(ge=0, description="Its characters.")
    start: int = Field(ge=0, description="Where it begins, in characters from the text's start.")


class Statistics(BaseModel):
    """What was counted in a text. A character is a Unicode code point."""

    form: Form = Field(
        description="What it looks like: `prose`; `lines` that stand for themselves; `log`, `table`, `json` or `code`, "
        "which are no prose. In all but prose a sentence ends with its line."
    )
    characters: int = Field(ge=0, description="All characters, blanks and line ends included.")
    characters_without_blanks: int = Field(ge=0, description="Characters that are not white space.")
    words: int = Field(ge=0, description="Words; a Chinese or hiragana character is one.")
    unique_words: int = Field(ge=0, description="Different words, large and small letters alike.")
    sentences: int = Field(ge=0, description="Sentences.")
    paragraphs: int = Field(ge=0, description="Parts between empty lines.")
    lines: int = Field(ge=0, description="Lines, empty ones included; a line end at the very end begins none.")
    average_word_length: float = Field(ge=0, description="Characters of the words, divided by the words.")
    average_sentence_length: float = Field(ge=0, description="Words divided by sentences.")
    longest_sentence: LongestSentence | None = Field(description="The longest sentence; null without words.")
    reading_time_seconds: float = Field(
        ge=0,
        description="For a silent reader: 238 words a minute (Brysbaert 2019, English non-fiction); Chinese characters "
        "and hiragana at 390 a minute (our assumption: 260 words of 1.5 characters).",
    )


def statistics(text: str, watch: Watch = unwatched, layout: Layout | None = None) -> Statistics:
    """Count `text`; takes time that grows with its length and memory that grows with its different words."""
    layout = layout or layout_of(text)
    words = _Words(text, part_of(watch, 0, 0.7))
    number, longest = _by_sentence(text, part_of(watch, 0.7, 1), layout)
    plain_words = words.number - words.single
    seconds = 60 * (plain_words / WORDS_A_MINUTE + words.single / CHARACTERS_A_MINUTE)
    return Statistics(
        form=layout.form,
        characters=len(text),
        characters_without_blanks=_visible_characters(text),
        words=words.number,
        unique_words=len(words.different),
        sentences=number,
        paragraphs=1 + sum(1 for _ in _paragraph.finditer(text.strip())) if number else 0,
        lines=_lines(text),
        average_word_length=round(words.characters / words.number, 2) if words.number else 0,
        average_sentence_length=round(words.number / number, 2) if number else 0,
        longest_sentence=longest,
        reading_time_seconds=round(seconds, 1),
    )


class _Words:
    """The words of a text: how many, how long, how many of one character each, and which."""

    def __init__(self, text: str, watch: Watch) -> None:
        self.number = self.characters = self.single = 0
        self.different: set[str] = set()
        for found in word_pattern().finditer(text):
            word = found[0]
            self.number += 1
            self.characters += len(word)
            self.single += found.lastindex is not None
            self.different.add(word.casefold())
            if self.number % _WATCH_EVERY == 0:
                watch(found.end() / len(text))


def _by_sentence(text: str, watch: Watch, layout: Layout) -> tuple[int, LongestSentence | None]:
    """The number of sentences, and the longest."""
    number, longest, most = 0, None, 0
    word = word_pattern()
    for start, end in sentences(text, watch, layout):
        number += 1
        if end - start > most:  # fewer characters than that many words cannot hold more
            words = sum(1 for _ in word.finditer(text, start, end))
            if words > most:
                most, longest = words, LongestSentence(words=words, characters=end - start, start=start)
    return number, longest


def _visible_characters(text: str) -> int:
    """In slices, so that no single call into C keeps other threads waiting."""
    return sum(len("".join(text[at : at + _SLICE].split())) for at in range(0, len(text), _SLICE))


def _lines(text: str) -> int:
    ends = sum(1 for _ in _line.finditer(text))
    return ends + (bool(text) and _line.fullmatch(text[-1]) is None)


@cache
def word_pattern() -> re.Pattern[str]:
    """What a word is; group 1 is a character that is a word by itself."""
    marks = _combining_marks()
    run = rf"[^\W_{_ONE_EACH}]++(?:[{marks}\u200c\u200d]++[^\W_{_ONE_EACH}]*+)*+"
    joined = r"(?:(?<=\d)[.,](?=\d)|(?<=\w)['’](?=[^\W\d_]))"
    return re.compile(rf"{run}(?:{joined}{run})*+|([{_ONE_EACH}])[{marks}]*+")


def _combining_marks() -> str:
    """All characters of the category M, as the inside of a character class (Python's `\\w` leaves them out)."""
    ranges: list[list[int]] = []
    for code in (*range(0x300, 0x1E950), *range(0xE0100, 0xE01F0)):
        if unicodedata.category(chr(code))[0] == "M":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)
